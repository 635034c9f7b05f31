#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says which code blocks of the documentation stand in no program.

Every block of Swift or C in the README and the articles must be found, line by line, in a source file of the folders
that `make check` builds and runs: what a reader is told compiles. Indentation may differ.
"""
import pathlib
import re
import sys

documents = [pathlib.Path("README.md"), *sorted(pathlib.Path("Sources/Pebble/Pebble.docc").glob("*.md"))]
folders = {"swift": ["Examples/Swift/Sources", "Examples/Server/Sources", "Tests/Consumer"], "c": ["Examples/C"]}


def lines(text):
    return [line.strip() for line in text.strip().splitlines()]


def programs(language):
    for folder in folders[language]:
        for path in sorted(pathlib.Path(folder).rglob(f"*.{language}")):
            yield "\n".join(lines(path.read_text())) + "\n"


sources = {language: list(programs(language)) for language in folders}
missing = count = 0
for document in documents:
    text = document.read_text()
    for block in re.finditer(r"^```(swift|c)\n(.*?)^```$", text, re.M | re.S):
        count += 1
        wanted = "\n".join(lines(block[2])) + "\n"
        if not any(wanted in source for source in sources[block[1]]):
            missing += 1
            line = text.count("\n", 0, block.start()) + 1
            print(f"{document}:{line}: this code stands in no program that is run", file=sys.stderr)
print(f"docs: {count} blocks of code, {count - missing} of them quotes of programs that are run")
sys.exit(1 if missing or not count else 0)
