#!/bin/bash
# Makes a tarball of what is committed, or tries one: a release is what passes both.
#
#   dist.sh make NAME VERSION   build/NAME-VERSION.tar.gz; the same bytes each time, whoever makes it. Its files
#                               are as old as the commit, or SOURCE_DATE_EPOCH
#   dist.sh check NAME VERSION  that, and that somebody who has nothing else can build, test and install it
set -euo pipefail
cd "$(dirname "$0")/.."
release=$2-$3
tarball=$PWD/build/$release.tar.gz
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT

pack() { # pack FILE
  local tree=$work/tree epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
  mkdir "$tree"
  git archive --prefix="$release/" HEAD | tar -x -C "$tree"
  tar -c -C "$tree" --format=ustar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner \
    --mode=u+rw,go+r,go-w,a+X "$release" | gzip -9n >"$1"
  rm -rf "$tree"
}

make_it() {
  git rev-parse HEAD >/dev/null || { echo "dist: this is no clone of the repository" >&2; exit 1; }
  [ -z "$(git status --porcelain)" ] || echo "dist: what is not committed is left out"
  mkdir -p build
  pack "$tarball"
}

same() { # same WHAT EXPECTED FOUND
  [ "$2" = "$3" ] || { echo "distcheck: $1: $2 expected, and found $3" >&2; exit 1; }
}

check_it() {
  make_it
  (umask 077 && TZ=Asia/Tokyo LC_ALL=C pack "$work/again.tar.gz")
  cmp "$tarball" "$work/again.tar.gz"
  SOURCE_DATE_EPOCH=1000000000 pack "$work/old.tar.gz"
  same 'the dates of its files' 2001-09-09 "$(TZ=UTC tar -tvzf "$work/old.tar.gz" | awk '{print $4}' | sort -u)"
  same 'the version that CHANGELOG.md begins with' "$1" "$(sed -n 's/^## \([0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)"

  tar -xzf "$tarball" -C "$work"
  cp -r "$work/$release" "$work/untouched"
  for target in all check-abi check-c check-install clean; do
    echo "distcheck: make $target"
    make -s -C "$work/$release" "$target"
  done
  diff -r "$work/untouched" "$work/$release" # nothing is left, nothing was changed
  echo "distcheck: $tarball is ready"
}

case $1 in
make) make_it ;;
check) check_it "$3" ;;
esac
