#!/bin/sh
# Prints a Python that has matplotlib: Debian's, or whichever comes first.
for python in /usr/bin/python3 python3; do
  "$python" -c 'import matplotlib' 2>/dev/null && { echo "$python"; exit 0; }
done
echo "no python3 with matplotlib" >&2
exit 1
