#!/bin/bash
# Runs a program and checks that it leaves nothing: no process of the same executable, no file in the temporary folders.
# usage: leaves_nothing.sh [-p EXECUTABLE] PROGRAM [ARGUMENT ...]     -p: where the program starts that executable
set -uo pipefail
executable=$1
[ "$1" = -p ] && executable=$2 && shift 2
program=$(realpath "$executable")
temporary() { ls -A /tmp /dev/shm 2>/dev/null | grep -i pebble | grep -v ^pebble-test- | sort; } # but for those of check-c
running() { for exe in /proc/[0-9]*/exe; do [ "$(readlink "$exe" 2>/dev/null)" = "$program" ] && echo "${exe%/exe}"; done; }

before=$(temporary)
"$@"
status=$?

# The server is told by the kernel that its host is gone, and leaves: wait for that, five seconds at most.
deadline=$((SECONDS + 5))
while left=$(running) && [ -n "$left" ] && [ $SECONDS -lt $deadline ]; do
  for process in $left; do timeout 5 tail --pid="${process#/proc/}" -f /dev/null; done
done
if [ -n "$left" ]; then
  echo "left running:" && for process in $left; do echo "  ${process#/proc/} $(tr '\0' ' ' <"$process/cmdline")"; done
  status=1
fi
left=$(comm -13 <(echo "$before") <(temporary)) # what others took away meanwhile is theirs
if [ -n "$left" ]; then
  echo "left in a temporary folder: $left"
  status=1
fi
exit $status
