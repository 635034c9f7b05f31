#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tables of the article "Errors and crashes": what expected/ says, for a reader.

    table.py           says whether the article has them
    table.py --write   puts them there
"""
import pathlib
import re
import sys

here = pathlib.Path(__file__).parent
article = here / "../../Sources/Pebble/Pebble.docc/ErrorsAndCrashes.md"
marks = ("<!-- what Tests/Crashes/table.py makes -->\n", "<!-- until here -->\n")


def expected(name):
    return [line.split("\t") for line in (here / "expected" / name).read_text().splitlines()]


def said(text):
    """As a program of one file would say it."""
    text = re.sub(r"crashes: Tests/Crashes/ways.c, its line: \w+", "program: file.c:7: function", text)
    text = re.sub(r"crashes/Ways.swift, its line", "program/file.swift:7", text).replace("crashes.Refusal", "program.Refusal")
    return re.sub(r"^crashed: (\w+)", r"\1", text)


def place(text):
    if text == "-":
        return "no"
    return "function, line" if text.endswith(", its line") else "function"


def table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def swift():
    for debug, release in zip(expected("swift-debug.txt"), expected("swift-release.txt"), strict=True):
        assert debug[0] == release[0], debug[0]
        same = said(debug[1]) == said(release[1])
        yield [f"`{debug[0]}`" if "(" in debug[0] or "!" in debug[0] else debug[0], said(debug[1]),
               "the same" if same else said(release[1]), place(release[2])]


def c():
    for row, text, where in expected("c.txt"):
        yield [f"`{row}`" if "(" in row else row, said(text), place(where)]


tables = (
    "\n" + table(["In Swift", "a debug build says", "an optimized one", "backtrace"], swift())
    + "\n" + table(["In a program in C", "the report says", "backtrace"], c()) + "\n"
)
text = article.read_text()
before, rest = text.split(marks[0])
old, after = rest.split(marks[1])
if "--write" in sys.argv:
    article.write_text(before + marks[0] + tables + marks[1] + after)
elif old != tables:
    sys.exit(f"crashes: the tables in {article.resolve()} are not what is expected: Tests/Crashes/table.py --write")
else:
    print("crashes: the tables in the documentation are what is expected")
