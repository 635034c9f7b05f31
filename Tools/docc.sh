#!/bin/bash
# Builds the documentation archive of the Swift library from what Examples/Swift has built; a warning is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
built=$(cd Examples/Swift && swift build --show-bin-path)
docc=$(dirname "$(readlink -f "$(command -v swift)")")/docc
[ -x "$docc" ] || { echo "docs: no docc beside the swift compiler" >&2; exit 1; }
rm -rf build/symbols build/render
mkdir -p build/symbols
# docc leaves the index out of a template that is not the user's to change.
cp -R "$(dirname "$docc")/../share/docc/render" build/render
export DOCC_HTML_DIR=$PWD/build/render
swift symbolgraph-extract -module-name Pebble -target "$(uname -m)-unknown-linux-gnu" -minimum-access-level public \
  -I "$built/Modules" -I "$built/CPebble.build" -I Sources/CPebble/include -output-dir build/symbols
"$docc" convert Sources/Pebble/Pebble.docc --fallback-display-name Pebble --fallback-bundle-identifier pebble \
  --additional-symbol-graph-dir build/symbols --warnings-as-errors --output-path build/Pebble.doccarchive
echo "docs: build/Pebble.doccarchive"
