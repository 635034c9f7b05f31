#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a job's error says of each way to crash: builds the programs, runs them, and compares what they print with
# expected/. See README.md.
#
#   run.sh WAY...         such as c-O2-g swift-debug-static
#   run.sh --accept WAY...   what they print becomes what is expected
#
# Needs build/libcpebble.a.
set -euo pipefail
cd "$(dirname "$0")/../.."
built=build/crashes
here=Tests/Crashes
module=(-swift-version 6 -I include -Xcc -fmodule-map-file=include/module.modulemap)
accept=
[ "$1" = --accept ] && accept=yes && shift

# --- building: prints the program's path ---

c() { # c OPTIMIZATION [-g]
  local folder=$built/c$(printf %s "$@")
  mkdir -p "$folder"
  "${CC:-gcc}" -std=gnu11 -Wall -Wextra -Iinclude -pthread "$@" "$here"/{program,ways}.c build/libcpebble.a -lbsd \
    -o "$folder/crashes"
  echo "$folder/crashes"
}

# The objects for a mode are linked in both ways.
objects() { # objects debug|release
  local folder=$built/swift-$1 flags=(-Onone -g -enable-testing -D DEBUG)
  [ "$1" = debug ] || flags=(-O -g)
  mkdir -p "$folder"
  if [ ! -e "$folder/crashes.o" ] ||
    [ -n "$(find Sources/Pebble include "$here" \( -name '*.swift' -o -name '*.h' \) -newer "$folder/crashes.o")" ]; then
    swiftc "${flags[@]}" -wmo -parse-as-library -module-name Pebble "${module[@]}" \
      -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature MemberImportVisibility \
      -emit-module -emit-module-path "$folder/Pebble.swiftmodule" -c -o "$folder/library.o" \
      $(find Sources/Pebble -name '*.swift')
    swiftc "${flags[@]}" -wmo -parse-as-library -module-name crashes "${module[@]}" -I "$folder" \
      -Xcc -fmodule-map-file="$here/module.modulemap" -c -o "$folder/crashes.o" "$here"/*.swift
  fi
  "${CC:-gcc}" -std=gnu11 -O0 -g -c "$here/ways.c" -o "$folder/ways.o"
}

swift() { # swift debug|release dynamic|static
  local folder=$built/swift-$1 flags=(-static-stdlib)
  [ "$2" = static ] || flags=(-no-static-stdlib)
  objects "$1" >&2
  mkdir -p "$folder/$2"
  swiftc "${flags[@]}" "$folder"/{crashes,library,ways}.o build/libcpebble.a -lbsd -o "$folder/$2/crashes"
  echo "$folder/$2/crashes"
}

# --- running ---

# A line of the sources that names the row stands for its number; what differs from one run to the next goes.
plain() {
  sed -E 's/\tworker [0-9]+ /\t/; s/( in function)? after [0-9.]+ [mun]?s//; s/0x[0-9a-f]{6,}/0x.../g
    s,(Swift/[A-Za-z]+\.swift):[0-9]+,\1:...,; s/SIGTRAP/SIGILL/' |
    awk -F'\t' -v sources="$here/Ways.swift $here/ways.c" '
      BEGIN {
        OFS = FS
        for (n = split(sources, files, " "); n; n--)
          for (line = 1; (getline text < files[n]) > 0; line++) {
            name = files[n]; sub(/.*\//, "", name)
            if (match(text, /(\/\/|\/\*) [^*]*/)) {
              row = substr(text, RSTART + 3, RLENGTH - 3); sub(/ +$/, "", row)
              rows[name ":" line] = row
            }
          }
      }
      {
        for (field = 2; field <= NF; field++)
          while (match($field, /[Ww]ays\.(swift|c):[0-9]+/)) {
            place = substr($field, RSTART, RLENGTH); name = place; sub(/:.*/, "", name)
            at = rows[place] == $1 ? "its line" : "another line"
            $field = substr($field, 1, RSTART - 1) name ", " at substr($field, RSTART + RLENGTH)
          }
        print
      }'
}

# Workers of both start methods say the same.
twice() {
  awk '!times[$0]++ {lines[++count] = $0}
       END {for (n = 1; n <= count; n++) print (times[lines[n]] == 2 ? "" : times[lines[n]] " times: ") lines[n]}'
}

failed=0
for way; do
  IFS=- read -r language first second <<<"$way"
  if [ "$language" = swift ] && ! echo 'import Runtime' | swiftc -typecheck - 2>/dev/null; then
    echo "crashes: $way: left out, for this toolchain cannot read debug information"
    continue
  fi
  program=$([ "$language" = c ] && c "-$first" ${second:+"-$second"} || swift "$first" "$second")
  expected=$here/expected/$language.txt
  [ "$language" = c ] || expected=$here/expected/$language-$first.txt
  printed=$(timeout -k 5 300 Tests/leaves_nothing.sh "$program" 2>"$built/stderr" | plain | twice) ||
    printed+=$'\nand it did not end well'
  if [ -n "$accept" ]; then
    echo "$printed" >"$expected"
  elif diff <(echo "$printed") "$expected"; then
    echo "crashes: $way: $(wc -l <<<"$printed") ways to crash, each explained as expected"
  else
    echo "crashes: $way: differs from $expected (<: printed, >: expected); it wrote:" && tail -5 "$built/stderr"
    failed=1
  fi
done
exit $failed
