#!/bin/bash
# Runs tests under a tool: under.sh asan|tsan|valgrind|coverage COMMAND...
# Fails when a test does, or when any process - host, fork server or worker - had something to report.
set -u
multiplier=3 # of the tests' time limits
tool=$1
shift
here=$(cd "$(dirname "$0")" && pwd) # for processes that are elsewhere
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
report=$reports/report # and the process id

# The crashes of jobs are Pebble's to explain, and what cannot be allocated is an error like another.
crashes=handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0
common=allocator_may_return_null=1:disable_coredump=0:log_path=$report
case $tool in
asan)
  # Little freed memory is kept back: some tests bound what a host takes.
  export ASAN_OPTIONS=$common:$crashes:use_sigaltstack=0:quarantine_size_mb=4:thread_local_quarantine_size_kb=64
  export UBSAN_OPTIONS=log_path=$report:print_stacktrace=1
  export LSAN_OPTIONS=suppressions="'$here/leaks.supp'":print_suppressions=0
  found='ERROR: |runtime error: '
  ;;
tsan)
  export TSAN_OPTIONS=$common:$crashes:die_after_fork=0:report_thread_leaks=0:atexit_sleep_ms=0
  TSAN_OPTIONS+=:suppressions="'$here/races.supp'":print_suppressions=0
  export PEBBLE_STEPS=${PEBBLE_STEPS:-100000}
  found='WARNING: ThreadSanitizer: '
  ;;
valgrind)
  # Little freed memory is kept back here, too.
  set -- valgrind --log-file="$report.%p" --leak-check=full --error-exitcode=99 --freelist-vol=1000000 \
    --suppressions="$here/Valgrind/valgrind.supp" "$@"
  export PEBBLE_STEPS=${PEBBLE_STEPS:-10000}
  multiplier=10
  found='ERROR SUMMARY: [1-9]'
  ;;
coverage) found='nothing else' ;;
esac
export PEBBLE_TOOL=$tool # for tests that cannot work under it
export CK_EXCLUDE_TAGS="not-$tool" CK_TIMEOUT_MULTIPLIER=$multiplier CK_VERBOSITY=${CK_VERBOSITY:-normal}
"$@"
failed=$?
for file in $(grep -lE "$found" "$reports"/* 2>/dev/null); do
  cat "$file"
  failed=1
done
exit $failed
