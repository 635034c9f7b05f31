#!/bin/sh
# Installs the Debian packages named as arguments that are missing.
set -eu
missing=
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
install="apt-get install -y --no-install-recommends$missing"
command -v apt-get >/dev/null || { echo "please install:$missing (names of Debian's packages)" >&2; exit 1; }
if [ "$(id -u)" = 0 ]; then
  become=
elif command -v sudo >/dev/null; then
  become=sudo
  echo "installing$missing with sudo"
else
  echo "please install, as root: $install" >&2
  exit 1
fi
$become apt-get update -q
DEBIAN_FRONTEND=noninteractive $become $install
