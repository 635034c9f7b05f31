#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Packages outside of the tree that depend on Pebble by path:
# - without macros, and with all that is off by default, tested there;
# - with macros, as it comes by default, tested there;
# - as it comes by default, and without any trait: what is fetched for it.
#
# Run by `make check-consumer`. Leaves nothing behind but the builds in
# .build-consumer and Examples/Swift/.build, which make the next run quick: in the
# second are the examples as well, so that swift-syntax is built once for both.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
SWIFT=${SWIFT:-swift}
export CONSUMER_PEBBLE=$repo

# fetched TRAITS: what is fetched to build a package that depends on Pebble with these
fetched() {
  rm -rf "$work/fetches"
  mkdir -p "$work/fetches/Sources/App"
  cat >"$work/fetches/Package.swift" <<END
// swift-tools-version: 6.1
import PackageDescription
let package = Package(
  name: "fetches",
  dependencies: [.package(name: "pebble", path: "$repo", traits: [$1])],
  targets: [.executableTarget(name: "App", dependencies: [.product(name: "Pebble", package: "pebble")])])
END
  echo 'import Pebble' >"$work/fetches/Sources/App/App.swift"
  $SWIFT package --package-path "$work/fetches" resolve >"$work/said" 2>&1 || { cat "$work/said"; return 1; }
  ls "$work/fetches/.build/checkouts" 2>/dev/null | tr '\n' ' '
}

# same NAME EXPECTED FOUND
same() {
  if [ "$2" = "$3" ]; then echo "ok    $1"; else
    echo "FAIL  $1: '$3', not '$2'"
    exit 1
  fi
}

same 'without traits nothing is fetched' '' "$(fetched '')"
same 'by default only swift-syntax is fetched' 'swift-syntax ' "$(fetched '.defaults')"
same 'for Logging only swift-log is fetched' 'swift-log ' "$(fetched '"Logging"')"

# test_in FOLDER SCRATCH-PATH
test_in() {
  $SWIFT test --no-parallel --package-path "$1" --scratch-path "$repo/$2"
}

cp -R "$here/Plain" "$here/Macros" "$work"
test_in "$work/Plain" .build-consumer
test_in "$work/Macros" Examples/Swift/.build
