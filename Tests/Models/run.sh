#!/bin/bash
# Checks the models here in every variant with spin, exhaustively.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp ./*.pml "$work"
cd "$work"
passed=0
search() { # search model flags...: prints what the verifier says
  local model=$1
  shift
  spin -a "$@" "$model" && cc -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c && ./pan -m1000000
}
check() { # check model flags...
  local out
  out=$(search "$@")
  if ! grep -q 'errors: 0' <<<"$out" || grep -q 'Search not completed\|max search depth too small' <<<"$out"; then
    echo "$out"
    [ ! -e "$1.trail" ] || spin -t -p -g "${@:2}" "$1" | tail -120
    echo "model $*: FAILED"
    exit 1
  fi
  echo "model $*: $(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1 states/p' <<<"$out"), no errors"
  passed=$((passed + 1))
}
# A protocol without one of its precautions must be found wanting; else the model sees nothing.
refute() { # refute what-it-leaves-out sed-expression flags...
  local what=$1 edit=$2
  shift 2
  sed "$edit" link.pml > mutant.pml
  ! cmp -s link.pml mutant.pml || { echo "mutant changes nothing: $what"; exit 1; }
  if search mutant.pml "$@" | grep -q 'errors: 0'; then
    echo "model does not notice: $what"
    exit 1
  fi
  echo "mutant refuted: $what"
  passed=$((passed + 1))
}
refute "the worker sleeps without looking again" '/^    :: submitted != taken || leave$/d'
refute "the host asks for a bell without looking again" 's/^        :: completed == collected || .* -> break$/        :: true -> break/'
refute "the worker runs out of work without ringing" 's/:: wants_bell != NO_BELL \&\& bell_at > taken \&\& submitted != taken .*/:: wants_bell != NO_BELL \&\& bell_at > taken/; s/(bell_at <= taken || submitted == taken)/bell_at <= taken/'
refute "the host waits for more answers than will come" 's/ \&\& completed != submitted) -> break/) -> break/'
refute "a job is cancelled without its claim" 's/:: claim\[shipped\[job\]\] == QUEUED -> claim\[shipped\[job\]\] = REVOKED; /:: /'
refute "a sleeping thread is not told that another took its answer" 's/:: awaited -> wants_bell = ON_STREAM; waiter_parked = false/:: awaited/'
refute "a dead worker's jobs all run again" 's/next < JOBS \&\& claim\[collected % SLOTS\] == QUEUED/next < JOBS/' -DDEATH
check link.pml
check link.pml -DSTREAM
check link.pml -DDEATH
check link.pml -DSTREAM -DDEATH
echo "$passed passed, 0 failed"
