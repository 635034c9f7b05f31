#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The ways in which a program can contain Pebble, and the circumstances in which
# it can run: a worker must be reached in each of them, and where it cannot be,
# that must end quickly, with a clear error and without a mass of processes.
#
#   run.sh [c] [swift]    both unless one is named; run by `make check-entry`
#
# Needs build/libcpebble.{a,so}, gcc, swift and libbsd-dev. Leaves nothing behind.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
work=$(realpath "$(mktemp -d)")
export ENTRY_LOG=$work/entered ENTRY_PEBBLE=$repo
CC=${CC:-gcc} CXX=${CXX:-g++}
passed=0 failed=0

# --- what a case is ---

processes_of_ours() { find /proc/[0-9]*/exe -lname "$work/*" 2>/dev/null || true; }

end_all() {
  for exe in $(processes_of_ours); do
    kill -KILL "$(cut -d/ -f3 <<<"$exe")" 2>/dev/null || true
  done
}

clean_up() {
  end_all
  rm -rf "$work"
}
trap clean_up EXIT

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# report NAME TIME [PROBLEM]; what the program said is in $work/out and $work/err
report() {
  if [ -z "${3:-}" ]; then
    printf 'ok    %-70s %6d ms\n' "$1" "$2"
    passed=$((passed + 1))
  else
    printf 'FAIL  %-70s %6d ms: %s\n' "$1" "$2" "$3"
    sed -n '1,40s/^/      | /p' "$work/err" "$work/out"
    failed=$((failed + 1))
  fi
}

# Its processes end with the program, or a moment later.
wait_until_none_is_left() {
  local tries
  for tries in {1..60}; do
    [ -n "$(processes_of_ours)" ] || return 0
    sleep 0.05
  done
  return 1
}

# check NAME COMMAND...: it ends well, says so, enters main $mains times, prints
# the line of its jobs $lines times, and $once once, and leaves no process behind.
check() {
  local name=$1 problem='' begin status=0 entered printed
  shift
  : >"$ENTRY_LOG"
  begin=$(milliseconds)
  timeout -k 1 30 "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  entered=$(wc -l <"$ENTRY_LOG")
  printed=$(grep -c '^in a job$' "$work/out" || true)
  if [ "$status" != 0 ]; then
    problem="exit status $status"
  elif [ "${said:-entry ok}" != '-' ] && ! grep -q '^entry ok$' "$work/err"; then
    problem="it did not say 'entry ok'"
  elif [ "$entered" != "${mains:-1}" ]; then
    problem="main was entered $entered times"
  elif [ "$printed" != "${lines:-2}" ]; then
    problem="jobs printed $printed lines"
  elif [ -n "${once:-}" ] && [ "$(grep -c "$once" "$work/out")" != 1 ]; then
    problem="'$once' was not printed once"
  fi
  if ! wait_until_none_is_left; then
    problem="$problem; processes are left: $(processes_of_ours | tr '\n' ' ')"
    end_all
  fi
  report "$name" $(($(milliseconds) - begin)) "$problem"
}

# build NAME COMMAND...: false, and a failed case, when it does not build.
build() {
  local name=$1 begin
  shift
  begin=$(milliseconds)
  timeout -k 1 "${limit:-60}" "$@" >"$work/out" 2>"$work/err" && return
  report "$name" $(($(milliseconds) - begin)) "does not build: $*"
  return 1
}

# --- C and C++ ---

flags=(-Wall -Wextra -g -pthread "-I$repo/include")
c=("$CC" -std=gnu11 "${flags[@]}")
archive=("$repo/build/libcpebble.a" -lbsd)
whole_archive=(-Wl,--whole-archive "$repo/build/libcpebble.a" -Wl,--no-whole-archive -lbsd)
shared=("-L$repo/build" -lcpebble "-Wl,-rpath,$repo/build")

# program NAME OUTPUT COMPILE...: built, then checked as it is
program() {
  local name=$1 output=$2
  shift 2
  if build "$name" "$@" -o "$work/$output"; then check "$name" "$work/$output"; fi
}

in_c() {
  local one=$here/program.c now=(-Wl,-z,now,-z,relro) collected=(-Wl,--gc-sections,--build-id=none)
  program 'C, libcpebble.a, PIE' pie "${c[@]}" -fPIE -pie "$one" "${archive[@]}"
  program 'C, libcpebble.a, no PIE' no-pie "${c[@]}" -fno-pie -no-pie "$one" "${archive[@]}"
  program 'C, libcpebble.a, static' static "${c[@]}" -static "$one" "${archive[@]}" -lmd
  program 'C, libcpebble.a, static PIE' static-pie "${c[@]}" -fPIE -static-pie "$one" "${archive[@]}" -lmd
  program 'C, libcpebble.a, gc-sections, no build-id' collected "${c[@]}" "${collected[@]}" "$one" "${archive[@]}"
  program 'C, libcpebble.so' shared "${c[@]}" -Wl,-z,lazy "$one" "${shared[@]}"
  program 'C, libcpebble.so, bound at once, full RELRO' relro "${c[@]}" "${now[@]}" "$one" "${shared[@]}"
  program 'C, libcpebble.so, no PIE' shared-no-pie "${c[@]}" -fno-pie -no-pie "$one" "${shared[@]}"
  if command -v clang >"$work/out" && command -v ld.lld >"$work/out"; then
    program 'C, libcpebble.a, clang and lld' lld clang -fuse-ld=lld "${flags[@]}" "$one" "${archive[@]}"
    program 'C, libcpebble.so, clang and lld' lld-shared clang -fuse-ld=lld "${flags[@]}" "$one" "${shared[@]}"
  fi
  in_libraries
  in_cpp
  without_entry
  in_odd_circumstances
}

in_libraries() {
  local own="-Wl,-rpath,$work" elsewhere=(-DENTRY_TASKS_ELSEWHERE "$here/program.c" "-L$work") name plus plugin
  name='tasks in a shared library'
  if build "$name" "${c[@]}" -shared -fPIC "$here/tasks.c" "${shared[@]}" -o "$work/libtasks.so"; then
    program "$name" with-library "${c[@]}" "${elsewhere[@]}" -ltasks "$own" "${shared[@]}"
    program "$name, no PIE" with-library-no-pie "${c[@]}" -fno-pie -no-pie "${elsewhere[@]}" -ltasks "$own" \
      "${shared[@]}"
    program "$name, and Pebble twice" twice "${c[@]}" "${elsewhere[@]}" "${whole_archive[@]}" -ltasks "$own" \
      "-Wl,-rpath,$repo/build"
  fi
  name='libcpebble.a inside the shared library of the tasks'
  if build "$name" "${c[@]}" -shared -fPIC "$here/tasks.c" "${whole_archive[@]}" -o "$work/libprivate.so"; then
    program "$name" with-private "${c[@]}" "${elsewhere[@]}" -lprivate "$own"
  fi

  name='tasks in plugins'
  for plus in 1 2; do
    plugin=("${c[@]}" -shared -fPIC "-DENTRY_PLUS=$plus" "$here/tasks.c")
    build "$name" "${plugin[@]}" -o "$work/plugin$plus.so" || return 0
    build "$name" "${plugin[@]}" -Wl,--build-id=none -o "$work/nameless$plus.so" || return 0
  done
  if build "$name" "${c[@]}" "$here/plugins.c" "${shared[@]}" -o "$work/plugins"; then
    cp "$work/plugin1.so" "$work/relative1.so"
    check "$name, by absolute paths; and one that is gone" "$work/plugins" "$work/plugin1.so" "$work/plugin2.so"
    check "$name without build-ids" "$work/plugins" "$work/nameless1.so" "$work/nameless2.so"
    check "$name, by relative paths" env -C "$work" ./plugins ./relative1.so ./plugin2.so
  fi
}

# Initialisers that print and allocate, before Pebble's own and after it.
in_cpp() {
  local cpp=("$CXX" -std=c++17 "${flags[@]}") once='an initialiser that'
  program 'C++, libcpebble.a' cpp "${cpp[@]}" "$here/program.cpp" "${archive[@]}"
  program 'C++, libcpebble.a, linked first' cpp-late "${cpp[@]}" "${whole_archive[@]}" "$here/program.cpp" -lbsd
  program 'C++, libcpebble.so' cpp-shared "${cpp[@]}" "$here/program.cpp" "${shared[@]}"
  once=
  lines=1 program 'an initialiser that starts a thread' threads "${c[@]}" "$here/threads.c" "${archive[@]}"
}

without_entry() {
  local name='Pebble loaded by dlopen in main' initialiser=("${c[@]}" "$here/initialiser.c")
  if build "$name" "${c[@]}" "$here/foreign.c" -o "$work/foreign"; then
    export ENTRY_LIBRARY=$repo/build/libcpebble.so
    mains=3 lines=0 check "$name: refused" "$work/foreign" ok
    mains=3 lines=0 check "$name, which hangs before: refused" env ENTRY_HANGS=1 "$work/foreign" ok
  fi
  export mains=2 lines=0
  program 'a pool in an initialiser: refused' before-1 "${initialiser[@]}" "${archive[@]}"
  program 'a pool in an early initialiser: refused' before-2 "${initialiser[@]}" -DENTRY_EARLY "${archive[@]}"
  program 'a pool in a late initialiser: refused' before-3 "$CC" "${whole_archive[@]}" "${initialiser[@]:1}" -lbsd
  program 'a pool in an initialiser, libcpebble.so: refused' before-4 "${initialiser[@]}" "${shared[@]}"
  unset mains lines
}

in_odd_circumstances() {
  local kind marker program
  for kind in pie static shared; do
    program=$work/$kind
    [ -x "$program" ] || continue
    check "$kind: titles" "$program" title
    check "$kind: the program's name in messages" env ENTRY_VALUE=$kind "$program" invocation
    check "$kind: no environment" env -i "ENTRY_LOG=$ENTRY_LOG" "$program"
    check "$kind: no stdin" bash -c 'exec "$1" descriptors <&-' - "$program"
    lines=0 check "$kind: no stdin, no stdout" bash -c 'exec "$1" descriptors <&- >&-' - "$program"
    lines=0 said=- check "$kind: no stdin, stdout, stderr" bash -c 'exec "$1" descriptors <&- >&- 2>&-' - "$program"
    check "$kind: SIGCHLD ignored" "$program" ignoring
    check "$kind: argv[0] empty" bash -c 'exec -a "" "$1"' - "$program"
    check "$kind: argv[0] odd" bash -c 'exec -a "$2" "$1"' - "$program" $'%s%n\n-x/'
    lines=4 check "$kind: the pool's name odd" "$program" named $'\n:%s%n'
    cp "$program" "$work/moved"
    cp "$work/pie" "$work/other"
    check "$kind: its file replaced while it runs" "$work/moved" replaced "$work/other"
  done
  for marker in '' x w s0 w1:1:pool "s$(printf %099d 7)" $'w\n' "$(printf 'w%09999d' 1)"; do
    check "PEBBLE_BOOT=$(printf %.12q "$marker")" env "PEBBLE_BOOT=$marker" SWIFT_BACKTRACE=kept ENTRY_VALUE=kept \
      "$work/pie" variable
  done
}

# --- Swift ---

# swift_program NAME PRODUCTS OPTIONS...: one build, and a case for each product
swift_program() {
  local name=$1 products=$2 command product binaries
  shift 2
  command=(swift build --package-path "$work/Swift" --scratch-path "$work/swift-build" "$@")
  if [ "$products" = "${products% *}" ]; then command+=(--product "$products"); fi
  limit=300 build "Swift, $name" "${command[@]}" || return 0
  binaries=$("${command[@]}" --show-bin-path 2>"$work/err")
  for product in $products; do
    check "Swift, $name, $product" "$binaries/$product"
    check "Swift, $name, $product: no environment" env -i "ENTRY_LOG=$ENTRY_LOG" "$binaries/$product"
  done
}

in_swift() {
  cp -R "$here/Swift" "$work/Swift"
  swift_program 'debug' 'Plain Shared'
  swift_program 'release' 'Plain Shared' -c release
  swift_program 'static stdlib' Plain -c release --static-swift-stdlib
  swift_program 'static executable' Plain -c release -Xswiftc -static-executable
}

for part in "${@:-all}"; do
  case $part in
  all)
    in_c
    in_swift
    ;;
  c) in_c ;;
  swift) in_swift ;;
  *)
    echo "usage: run.sh [c] [swift]" >&2
    exit 2
    ;;
  esac
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
