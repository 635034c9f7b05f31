#!/bin/bash
# The binary interface of the library, as it is committed in packaging/: libcpebble.abi,
# the types and functions that programs see, as libabigail writes them; and the list of
# symbols for Debian, each with the version that it came with.
#
#   abi.sh check VERSION  whether programs built against what is committed work with what there is
#   abi.sh write VERSION  commits to what there is; symbols that are new came with VERSION
#
# What programs see are the headers, so that is looked at: a library of empty functions.
# That build/libcpebble.so exports those is for others to check (lint.sh, Tests/Install).
set -euo pipefail
cd "$(dirname "$0")/.."
dump=packaging/libcpebble.abi
symbols=packaging/debian/libcpebble0.symbols
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

# The declarations of the headers with bodies, as a library.
{
  echo '#include <pebble.h>'
  awk '/^PEBBLE_API/ {on = 1} on && sub(/;$/, " { __builtin_trap(); }") {print; on = 0} on' include/pebble/*.h
} >"$work/interface.c"
gcc -g -O0 -fPIC -shared -Iinclude -Wl,-soname,libcpebble.so.0 -Wl,--version-script=Sources/CPebble/cpebble.map \
  "$work/interface.c" -o "$work/libcpebble.so.0"
exports() { nm -D --defined-only --with-symbol-versions "$work/libcpebble.so.0" | sed -n 's/.* [AT] \(.*\)@@\(.*\)/\1@\2/p; s/.* A \([^@]*\)$/\1@\1/p' | sort; }

list_symbols() { # list_symbols VERSION
  printf '%s\n' 'libcpebble.so.0 libcpebble0 #MINVER#' '* Build-Depends-Package: libcpebble-dev'
  while read -r symbol; do
    grep -s "^ $symbol " $symbols || echo " $symbol $1"
  done < <(exports)
}

case $1 in
check)
  diff $symbols <(list_symbols "$2") || { echo "abi: $symbols is not what the headers declare: make abi adds what is new" >&2; exit 1; }
  # New functions break nobody.
  abidiff --no-added-syms --no-architecture $dump "$work/libcpebble.so.0" ||
    { echo "abi: programs that are built already would break (as long as none is, make abi accepts it)" >&2; exit 1; }
  ;;
write)
  listed=$(list_symbols "$2")
  echo "$listed" >$symbols
  abidw --no-architecture --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed --no-parameter-names \
    --type-id-style hash "$work/libcpebble.so.0" |
    sed "s, path='[^']*', path='include/pebble.h'," >$dump
  ;;
esac
