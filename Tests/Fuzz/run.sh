#!/bin/bash
# Builds the fuzzers, and has each of them search for so many seconds, from its corpus on:
#   Tests/Fuzz/run.sh SECONDS [fuzzer...]
# What they find new goes to build/fuzz/found/, an input that fails to build/fuzz/. Needs a clang with libFuzzer (that of a
# Swift toolchain will do), and swiftc for the decoder of the Swift library.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1
shift
clang=${CLANG:-clang}
fuzzers=("$@")
[ ${#fuzzers[@]} = 0 ] && fuzzers=(stream link crash lines symbols chunk control texts coding)
lld=
[ -e "$(dirname "$(readlink -f "$(command -v "$clang")")")/ld.lld" ] && lld=-fuse-ld=lld
mkdir -p build/fuzz/core build/fuzz/found

flags="-std=gnu11 -O1 -g -fno-omit-frame-pointer -pthread -Iinclude -iquote Sources/CPebble"
build_core() {
  local source object
  for source in Sources/CPebble/*.c; do
    object=build/fuzz/core/$(basename "${source%.c}").o
    [ "$object" -nt "$source" ] || $clang $flags -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined \
      -c "$source" -o "$object"
  done
}
build() {
  if [ "$1" = coding ]; then
    swiftc -sanitize=fuzzer,address -use-ld=lld -O -swift-version 6 -parse-as-library -module-name Fuzz \
      Sources/Pebble/Coding/*.swift Tests/Fuzz/Coding.swift -o build/fuzz/coding
  else
    $clang $flags $lld -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined "Tests/Fuzz/$1.c" build/fuzz/core/*.o \
      -lbsd -ldl -o "build/fuzz/$1"
  fi
}

build_core
for name in "${fuzzers[@]}"; do
  build "$name"
  mkdir -p "build/fuzz/found/$name"
  echo "fuzz: $name for $seconds s"
  SWIFT_BACKTRACE=enable=no "build/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=4096 \
    -artifact_prefix="build/fuzz/$name-" -verbosity=0 -print_final_stats=1 "build/fuzz/found/$name" "Tests/Fuzz/corpus/$name" \
    2>"build/fuzz/$name.log" || { cat "build/fuzz/$name.log"; exit 1; }
  grep -E 'number_of_executed_units|peak_rss' "build/fuzz/$name.log"
done
