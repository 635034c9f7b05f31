#!/bin/bash
# Checks what the compiler does not: layers, owners of system calls, exports, and who imports the C module.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
complain() { echo "lint: $*"; failed=1; }

# --- layers: a file includes headers of its own or lower layers only ---
layers=(
  "compat fd clock sig futex cpus rlimits"
  "latch room wheel histogram lines alarm proc image frame boot control mainqueue arena blocks oom symbols demangle tracerecord backtrace unwind crashrecord dumprecord debugger readable reopen confine wire messages hostlist"
  "spawn launch entry forkserver serve stream shared annex hostlink hostannex hostreply hostopen childlink call crash throws dump autopsy stacks chunk child"
  "worker dispatch"
  "inbox watchers job updates callbacks courier engine poolstate watch queue starting output thrift shipping awaiting stealing dumping ending crew hiring processes threads nodelink nodejobs nodelife nodeoutput node nodes loop batch"
  "pool nodepool slurm agent agentjobs map outcome report version fifo thread handlers"
)
layer_of() {
  local i
  for i in "${!layers[@]}"; do
    [[ " ${layers[$i]} " == *" $1 "* ]] && { echo "$i"; return; }
  done
  echo none
}
for file in Sources/CPebble/*.[ch]; do
  name=$(basename "${file%.*}")
  own=$(layer_of "$name")
  [ "$own" = none ] && { complain "$file is in no layer"; continue; }
  for included in $(sed -n 's/^#include "\([a-z]*\)\.h".*/\1/p' "$file"); do
    other=$(layer_of "$included")
    [ "$other" = none ] && { complain "$file includes $included.h, which is in no layer"; continue; }
    [ "$other" -le "$own" ] || complain "$file (layer $own) includes $included.h (layer $other)"
  done
done

# --- each dangerous system call has one owner ---
owner() { # owner "files" "pattern"
  local found
  found=$(grep -nEw "$2" Sources/CPebble/*.c | grep -vE "^Sources/CPebble/($1)\.c:" | grep -vE ':[0-9]+: *(/?\*|//)')
  [ -z "$found" ] || complain "$(printf 'not in %s:\n%s' "$1" "$found")"
}
owner 'spawn' '(fork|vfork|clone|execve|execvp|posix_spawn) *\('
owner 'proc' 'waitid *\(|SYS_waitid|SYS_pidfd_open|SYS_pidfd_send_signal'
owner 'sig' '(sigaction|pthread_sigmask|sigprocmask|signalfd) *\('
owner 'clock' 'clock_gettime *\('
owner 'futex' 'SYS_futex'
owner 'control|stream' '(sendmsg|recvmsg|recv) *\('
owner 'watch|loop|serve|output' '(epoll_wait|epoll_ctl|epoll_create1) *\('

# --- nothing asks the wall clock, which may jump ---
wall=$(grep -nE 'CLOCK_REALTIME|\b(time|gettimeofday|timespec_get|sem_timedwait|pthread_mutex_timedlock|pthread_cond_clockwait) *\(' \
  Sources/CPebble/*.c | grep -vE ':[0-9]+: *(/?\*|//)')
[ -z "$wall" ] || complain "the wall clock: $wall"
[ "$(grep -c 'pthread_cond_timedwait *(' Sources/CPebble/*.c | awk -F: '{n += $2} END {print n}')" = \
  "$(grep -l 'pthread_condattr_setclock *(' Sources/CPebble/*.c | xargs grep -c 'pthread_cond_timedwait *(' /dev/null | awk -F: '{n += $2} END {print n}')" ] ||
  complain "pthread_cond_timedwait on the wall clock"

# --- the library never prints, never exits the host ---
prints=$(grep -nE '\b(printf|fprintf|perror|puts|abort) *\(' Sources/CPebble/*.c | grep -v snprintf)
[ -z "$prints" ] || complain "the library prints: $prints"

# --- in Swift, only Core imports the C module ---
imports=$(grep -rln 'import CPebble' Sources/Pebble | grep -v '^Sources/Pebble/Core/')
[ -z "$imports" ] || complain "import CPebble outside of Core: $imports"
foundation=$(grep -rln 'import Foundation' Sources/Pebble)
[ -z "$foundation" ] || complain "import Foundation in the library: $foundation"

# --- every declared function is exported, and nothing else ---
declared=$(sed -n 's/.*[ *]\(pebble_[a-z_]*\)(.*/\1/p' include/pebble/*.h | sort -u)
exported=$(nm -D --defined-only build/libcpebble.so | awk '$2 == "T" {sub(/@.*/, "", $3); print $3}' | sort -u)
[ "$declared" = "$exported" ] || complain "$(printf 'declared and exported functions differ:\n%s' "$(diff <(echo "$declared") <(echo "$exported"))")"

# --- the binary interface is the one in packaging/ ---
if command -v abidiff >/dev/null; then
  Tools/abi.sh check "$(sed -n 's/^#define PEBBLE_VERSION "\(.*\)"/\1/p' include/pebble/version.h)" || failed=1
fi

# --- manual pages say what the headers say ---
Tools/lint_man.sh || failed=1

# --- headers stand alone, in C and C++ ---
for header in include/pebble.h include/pebble/*.h; do
  for compiler in "gcc -std=c11" "g++ -std=c++17" "clang -std=c11" "clang++ -std=c++17"; do
    command -v "${compiler% *}" >/dev/null || continue
    echo "#include \"$PWD/$header\"" | $compiler -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude \
      -x "$([[ $compiler == *++\ * ]] && echo c++ || echo c)" - || complain "$header does not stand alone for $compiler"
  done
done

# --- short files ---
while read -r lines file; do
  limit=400
  [[ $file == *.swift ]] && limit=250
  [ "$lines" -le $limit ] || complain "$file has $lines lines; is it two things?"
done < <(wc -l Sources/CPebble/*.[ch] $(find Sources/Pebble Sources/PebbleMacros -name '*.swift') | grep -v ' total$')

if command -v swift >/dev/null; then
  swift format lint --strict --recursive Sources/Pebble Sources/PebbleFoundation Sources/PebbleMacros Tests/PebbleTests Tests/PebbleFoundationTests Tests/Consumer Tests/Crashes Examples/Swift/Sources Benchmarks/Sources || failed=1
fi
[ $failed = 0 ] && echo "lint: clean"
exit $failed
