#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `make check-cluster` runs, inside of `cluster run`: the tests outside of an allocation and in one, and the example
# with its hostile documents, which must come out as they do on one machine.
set -uo pipefail
cd "$(dirname "$0")/../.."
failed=0

timeout -k 5 400 build/check-cluster || failed=1
timeout -k 5 100 salloc -Q -N2 --exclusive build/check-cluster || failed=1

# What the example finds, without what differs from one run to the next.
found() {
  (cd Examples && timeout -k 5 60 "$@" documents 2>/dev/null) | grep -E '^(parsed|invalid|timed out|crashed|[0-9]+ lines)' |
    sed 's/worker [0-9]*\( on n[12]\)*//; s/after .*//'
}
for ingest in ../build/examples/ingest Swift/.build/debug/ingest; do
  here=$(found $ingest)
  there=$(found $ingest --slurm 2 --workers 2)
  if [ -n "$there" ] && [ "$here" = "$there" ]; then
    echo "$ingest on two nodes: as on one machine"
    head -n 4 <<<"$there"
  else
    diff <(echo "$here") <(echo "$there")
    failed=1
  fi
done
exit $failed
