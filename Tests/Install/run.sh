#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `make install` installs, seen by somebody who has nothing else of Pebble:
# a program that is built through pkg-config runs, headers compile alone, the
# shared library has the name, the versions and the functions it is to have, and
# each of those has a manual page, whose examples are programs that run.
#
# Run by `make check-install`. Needs the libraries built, gcc, g++, pkg-config,
# mandoc and man; uses clang where there is one. Needs no root, leaves nothing behind.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
work=$(realpath "$(mktemp -d)")
root=$work/root
include=$root/usr/include library=$root/usr/lib/libcpebble.so
passed=0 failed=0
trap 'rm -rf "$work"' EXIT

# ok NAME COMMAND...: the command ends well; what it says is shown when it does not
ok() {
  local name=$1
  shift
  if timeout -k 1 60 "$@" >"$work/said" 2>&1; then
    printf 'ok    %s\n' "$name"
    passed=$((passed + 1))
  else
    printf 'FAIL  %s\n' "$name"
    sed -n '1,40s/^/      | /p' "$work/said"
    failed=$((failed + 1))
  fi
}

# same NAME EXPECTED FOUND
same() { ok "$1" diff <(echo "$2") <(echo "$3"); }

# --- what is installed ---

everything() { (cd "$root" && find . ! -type d -printf '%p %l\n' | sort); }

install=(make -s -C "$repo" install "DESTDIR=$root" PREFIX=/usr)
ok 'make install' "${install[@]}"
first=$(everything)
ok 'make install, again' "${install[@]}"
same 'the second time changes nothing' "$first" "$(everything)"
same 'every header is there' "$(cd "$repo/include" && find . -name '*.h' | sort)" \
  "$(cd "$include" && find . -name '*.h' | sort)"
same 'links of the shared library' "libcpebble.so.0 libcpebble.so.$(sed -n 's/^#define PEBBLE_VERSION "\(.*\)"/\1/p' \
  "$include/pebble/version.h")" "$(readlink "$library") $(readlink "$library.0")"

# --- the shared library ---

same 'its SONAME' libcpebble.so.0 "$(readelf -d "$library" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')"
declared=$(sed -n 's/.*[ *]\(pebble_[a-z_]*\)(.*/\1/p' "$include"/pebble/*.h | sort -u)
same 'what it exports, and in which version' \
  "$(printf '%s\n' "A CPEBBLE_0" && sed 's/\(.*\)/T \1@@CPEBBLE_0/' <<<"$declared")" \
  "$(nm -D --defined-only --with-symbol-versions "$library" | cut -d' ' -f2- | LC_ALL=C sort)"

# --- programs ---

export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_PATH=$root/usr/lib/pkgconfig
mkdir "$work/program"
cp "$here/consumer.c" "$work/program"
cd "$work/program"
strict=(-Wall -Wextra -Wpedantic -Wconversion -Werror)

# runs NAME PROGRAM: it says that all is well, and leaves no process behind
runs() {
  ok "$1: runs" bash -o pipefail -c '"$1" "$2" | tee /dev/stderr | grep -qx "consumer ok"' - \
    "$repo/Tests/leaves_nothing.sh" "$2"
}

for compiler in gcc clang; do
  command -v $compiler >/dev/null || { echo "      no $compiler here: left out"; continue; }
  read -ra flags < <(pkg-config --cflags --libs cpebble)
  ok "$compiler, shared: built" $compiler -std=c11 "${strict[@]}" consumer.c "${flags[@]}" -o shared-$compiler
  LD_LIBRARY_PATH=$root/usr/lib runs "$compiler, shared" ./shared-$compiler
  same "$compiler, shared: by which name" libcpebble.so.0 \
    "$(readelf -d shared-$compiler | sed -n 's/.*NEEDED.*\[\(libcpebble.*\)\]/\1/p')"

  read -ra flags < <(pkg-config --static --cflags --libs cpebble)
  ok "$compiler, static: built" $compiler -static -std=c11 "${strict[@]}" consumer.c "${flags[@]}" -o static-$compiler
  runs "$compiler, static" ./static-$compiler
  same "$compiler, static: needs no library" '' "$(readelf -d static-$compiler | grep NEEDED || true)"
done

# --- manual pages ---

manual=$root/usr/share/man
for name in $declared pebble; do
  ok "page: $name" man -M "$manual" -w 3 "$name"
done
ok 'page: pebble-link' man -M "$manual" -w 7 pebble-link
readarray -t pages < <(find "$manual" -type f | sort)
ok 'pages are well formed' mandoc -T lint -W warning "${pages[@]}"
same 'pages that lead nowhere' '' "$(find "$manual" -xtype l)"

# The programs under EXAMPLES, each in a file of its own.
mkdir "$work/examples"
awk -v folder="$work/examples" '/^\.Sh / {examples = /EXAMPLES/}
  examples && /^\.Bd -literal/ {file = FILENAME; sub(/.*\//, folder "/", file); file = file "." ++count ".c"; next}
  /^\.Ed/ {file = ""}
  file {gsub(/\\e/, "\\"); gsub(/\\&/, ""); print >file}' "${pages[@]}"
examples=0
read -ra flags < <(pkg-config --cflags --libs cpebble)
for source in "$work"/examples/*.c; do
  name=$(basename "${source%.c}")
  ok "example of $name: built" gcc -std=gnu11 "${strict[@]}" "$source" "${flags[@]}" -o "${source%.c}"
  LD_LIBRARY_PATH=$root/usr/lib ok "example of $name: runs" "$repo/Tests/leaves_nothing.sh" "${source%.c}"
  examples=$((examples + 1))
done
ok 'pages have examples' test "$examples" -ge 14

# --- headers alone ---

# alone LANGUAGE COMPILER...
alone() {
  local language=$1 header
  shift
  command -v "$1" >/dev/null || return 0
  for header in "$include"/pebble.h "$include"/pebble/*.h; do
    echo "#include <${header#"$include/"}>" >alone
    ok "$*, alone: ${header#"$include/"}" "$@" "${strict[@]}" "-I$include" -fsyntax-only -x "$language" alone
  done
}
alone c gcc -std=c11
alone c++ g++ -std=c++17
alone c clang -std=c11
alone c++ clang++ -std=c++17

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
