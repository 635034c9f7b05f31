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
refute() { # refute model what-it-leaves-out sed-expression flags...
  local model=$1 what=$2 edit=$3
  shift 3
  sed "$edit" "$model" > mutant.pml
  ! cmp -s "$model" mutant.pml || { echo "mutant changes nothing: $what"; exit 1; }
  spin -a "$@" mutant.pml > /dev/null || { echo "mutant is no model: $what"; exit 1; }
  if ! grep -q 'errors: [1-9]' <<<"$(search mutant.pml "$@")"; then
    echo "$model does not notice: $what"
    exit 1
  fi
  echo "mutant refuted: $what"
  passed=$((passed + 1))
}
refute link.pml "the worker sleeps without looking again" '/^    :: more$/d'
refute link.pml "the host asks for a bell without looking again" 's/late = completed != collected .*/late = false;/'
refute link.pml "the worker runs out of work without ringing" 's/:: !due -> due = submitted == taken.*/:: !due/'
refute link.pml "the host waits for more answers than will come" 's/ || completed == submitted);/);/'
refute link.pml "a job is cancelled without its claim" 's/:: claim\[shipped\[job\]\] == QUEUED ->$/:: true ->/'
refute link.pml "a sleeping thread is not told that another took its answer" 's/:: awaited -> wants_bell = ON_STREAM; waiter_parked = false/:: awaited/'
refute link.pml "a wake is put off until the lock is given back, and then forgotten" 's/owes_wake = false; worker_parked = false/owes_wake = false/'
refute link.pml "a bell is owed until the end of the turn, and then forgotten" 's/owes_bell = false; to_worker++/owes_bell = false/' -DSTREAM
refute link.pml "a dead worker's jobs all run again" 's/next < JOBS \&\& claim\[collected % SLOTS\] == QUEUED/next < JOBS/' -DDEATH
refute cancel.pml "a job is told by a flag" 's/seen = cancelled == taken/seen = cancelled != 0/' -DGRACE
refute cancel.pml "who suspends looks before it says that it sleeps" \
  '/^        asleep = SLEEPS_ON_STREAM;$/d; s/^        look();$/        look(); asleep = SLEEPS_ON_STREAM;/' -DGRACE
refute cancel.pml "a job that sleeps is told and not woken" '/told\[job\] = true/,/^#else/{/^    wake(true)$/d}' -DGRACE
refute cancel.pml "the last job of a worker is told" 's/cancelled = collected + [12]/cancelled = submitted/' -DGRACE
refute cancel.pml "what is behind a job is not taken back before the kill" '/^            take_back();$/d'
refute cancel.pml "a worker that is to return is given more" 's/state == UP \&\& submitted/state != DYING \&\& submitted/' -DGRACE -DALARM -DSTREAM
refute updates.pml "an answer does not wait for its updates" 's/ || updates\[collected % JOBS\] > received.*/))/'
refute updates.pml "a large reply is sent before its job is completed" '/^            completed++;$/d; s/-> stream!BULK,job,0/-> stream!BULK,job,0; completed++/; s/:: else -> ring_if_wanted()/:: else -> completed++; ring_if_wanted()/'
refute updates.pml "a frame is read, and no answer looked for" 's/!gone -> read_frame(); take_answers()/!gone -> read_frame()/'
refute updates.pml "the host waits for room in a queue of updates" '/^    :: else -> lost\[job\]++$/d'
refute updates.pml "a dead worker's stream is not read to its end" 's/^    :: nempty(stream) -> read_frame(); take_answers()$/    :: nempty(stream) -> break/' -DDEATH
check cancel.pml
check cancel.pml -DGRACE
check cancel.pml -DGRACE -DSTREAM
check cancel.pml -DGRACE -DSTREAM -DALARM
check updates.pml
check updates.pml -DDEATH
check link.pml
check link.pml -DSTREAM
check link.pml -DDEATH
check link.pml -DSTREAM -DDEATH
echo "$passed passed, 0 failed"
