#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints which part of the lines and regions of each Swift file were run: swift.py FILE, as SwiftPM exports it.

A region is what runs as one: each side of a branch is one, and so is each closure.
"""
import json
import sys


def share(summary):
    return 100 * summary["covered"] / summary["count"] if summary["count"] else 100


def main():
    with open(sys.argv[1]) as export:
        data = json.load(export)["data"][0]
    total = {kind: {"covered": 0, "count": 0} for kind in ("lines", "regions")}
    print(f"{'':<44} {'lines':>15} {'regions':>17}")

    def row(name, summary):
        print(f"{name:<44} " + "  ".join(
            f"{summary[kind]['covered']:>4}/{summary[kind]['count']:>4} {share(summary[kind]):>4.0f}%"
            for kind in ("lines", "regions")))

    for file in sorted(data["files"], key=lambda file: file["filename"]):
        _, found, name = file["filename"].rpartition("/Sources/Pebble")
        if not found or not name.endswith(".swift") or name.startswith("Macros/"):
            continue
        row(name.lstrip("/"), file["summary"])
        for kind in total:
            for part in total[kind]:
                total[kind][part] += file["summary"][kind][part]
    row("all", total)


main()
