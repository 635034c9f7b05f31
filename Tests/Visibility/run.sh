#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `import Pebble` must not bring the names of the C library along: a program that
# uses each of them is type-checked, and must fail at each; with `import CPebble`
# it must not, or this would prove nothing.
#
# Run by `make check-visible`, on what `swift build` has left in the folder $1.
set -euo pipefail

build=$1
cd "$(dirname "$0")/../.."
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT

# Comments name things that are not declared.
names=$(for header in include/pebble/*.h; do gcc -fpreprocessed -dD -E -P "$header" 2>/dev/null; done |
  grep -oE '\b(pebble|PEBBLE)_[A-Za-z0-9_]+' | sort -u)

# missing MODULE: those of the names that a program which imports it cannot find
missing() {
  {
    echo "import $1"
    sed 's/.*/_ = &/' <<<"$names"
    if [ "$1" = Pebble ]; then echo '_ = ProcessPool.self'; fi
  } >"$work/probe.swift"
  { swiftc -typecheck -swift-version 6 -I "$build/Modules" -Xcc -fmodule-map-file=include/module.modulemap \
    "$work/probe.swift" 2>&1 || true; } | sed -n "s/.*error: cannot find '\([A-Za-z0-9_]*\)' in scope.*/\1/p" | sort -u
}

with_pebble=$(missing Pebble) with_c=$(missing CPebble)
if [ "$with_pebble" != "$names" ]; then
  echo "visible by 'import Pebble', or it was not found:"
  diff <(echo "$names") <(echo "$with_pebble") || true
  exit 1
fi
for name in pebble_pool_new pebble_outcome PEBBLE_SUCCESS; do
  if grep -qx "$name" <<<"$with_c"; then
    echo "$name is not found with 'import CPebble' either: this test proves nothing"
    exit 1
  fi
done
echo "$(wc -l <<<"$names") names of C, none visible by 'import Pebble'"
