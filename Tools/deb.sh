#!/bin/bash
# Debian packages, from the tarball of `make dist` and packaging/debian: in build/deb, and lintian finds nothing to say.
#
#   deb.sh NAME VERSION
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 version=$2
folder=$PWD/build/deb
tree=$folder/$name-$version

rm -rf "$folder"
mkdir -p "$folder"
cp "build/$name-$version.tar.gz" "$folder/${name}_$version.orig.tar.gz"
tar -xzf "$folder/${name}_$version.orig.tar.gz" -C "$folder"
cp -r packaging/debian "$tree/debian"
# Whoever makes them answers for them.
user=$(id -un)
maintainer="${DEBFULLNAME:-$(git config user.name || echo "$user")} <${DEBEMAIL:-$(git config user.email || echo "$user@$(hostname -f)")}>"
sed -i "s|@MAINTAINER@|${maintainer//[|&\\\\]/}|" "$tree/debian/control"
# Revision 0: older than any that Debian makes of this version.
cat >"$tree/debian/changelog" <<END
$name ($version-0pebble1) UNRELEASED; urgency=medium

  * What is new in this version stands in CHANGELOG.md.

 -- $maintainer  $(LC_ALL=C date -uR -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}")
END

cd "$tree"
dpkg-buildpackage --no-sign
cd "$folder"
lintian --fail-on error,warning ./*.changes
ls -- *.deb
