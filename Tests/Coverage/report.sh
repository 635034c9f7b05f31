#!/bin/bash
# Prints which part of the lines and branches of each file were run: report.sh BUILD
set -eu
gcovr --root . --filter 'Sources/CPebble/.*' "$1" --csv | awk -F, '
  NR == 1 { printf "%-28s %15s %17s\n", "", "lines", "branches"; next }
  { name = $1; sub(".*/", "", name); row(name, $2, $3, $5, $6)
    lines += $2; run += $3; branches += $5; taken += $6 }
  END { row("all", lines, run, branches, taken) }
  function row(name, lines, run, branches, taken) {
    printf "%-28s %4d/%4d %4.0f%% %5d/%5d %4.0f%%\n", name, run, lines, share(run, lines), taken, branches, share(taken, branches) }
  function share(part, whole) { return whole ? 100 * part / whole : 100 }'
