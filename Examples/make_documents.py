#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes documents/: the folder of orders that the `ingest` examples read.

Most are ordinary, some are invalid, and a few are hostile to a plain program:
nested deeper than a stack, numbers larger than a table or an Int, and codes on
which a backtracking regular expression takes longer than anyone waits.
The files are the same on every run.
"""

import json
import random
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "documents"
COUNT = 300

FIRST = "Ada Alan Barbara Donald Edsger Frances Grace Ken Kristen Leslie Margaret Niklaus Radia Tony".split()
LAST = "Nuñez Åkesson Brown Dvořák Fischer Jansen Kowalska Moreau O'Neill Rossi Sato Weiß Yılmaz Ødegård".split()
CITIES = "Brno Gdańsk Göteborg Kyōto León Lyon Maastricht Québec Reykjavík Torino Zürich".split()
THINGS = "bag bench board bowl chair clock desk lamp mirror mug pan rug shelf sofa stool table tray vase".split()
KINDS = "brass cork felt glass linen maple oak pine slate steel straw walnut wool".split()
NOTES = [None, "ring twice", "leave it with the neighbour \u2014 thank you", 'marked "fragile"', "a gift \U0001f381", ""]

generator = random.Random(2025)


def below(limit: int) -> int:
    """Only random() is promised to give the same numbers in every Python."""
    return int(generator.random() * limit)


def pick(choices):
    return choices[below(len(choices))]


def article() -> str:
    separator = pick("-_.")
    return separator.join([pick(THINGS), pick(KINDS), str(10 + below(90))])


def line() -> dict:
    return {
        "article": article(),
        "quantity": -1 if below(40) == 0 else 1 + below(12),
        "price": (100 + below(50_000)) / 100,
        "vat": below(4),
    }


def order(index: int) -> dict:
    return {
        "order": f"2025-{index:05}",
        "date": {"year": 2025, "month": 1 + below(12), "day": 1 + below(28)},
        "customer": {
            "name": f"{pick(FIRST)} {pick(LAST)}",
            "city": pick(CITIES),
            "member": below(3) == 0,
        },
        "note": pick(NOTES),
        "lines": [line() for _ in range(1 + below(5))],
    }


def text(document: dict, escaped: bool = False) -> str:
    return json.dumps(document, ensure_ascii=escaped, indent=2) + "\n"


def ordinary(document: dict) -> str:
    return text(document, escaped=below(2) == 0)


def in_latin_1(document: dict) -> bytes:
    document["customer"].update(name="Zoë Müller", city="Zürich")
    document["note"] = None
    return text(document).encode("latin-1")


def hex_digits(count: int) -> str:
    return "".join(pick("0123456789abcdef") for _ in range(count))


def letters(count: int) -> str:
    return "".join(pick("abcdefghijklmnopqrstuvwxyz234567") for _ in range(count))


def number(document: dict, name: str, value: str) -> str:
    """The document with the first member `name` replaced by a number as written."""
    head, tail = text(document).split(f'"{name}": ', 1)
    end = min(tail.index(c) for c in ",\n")
    return f'{head}"{name}": {value}{tail[end:]}'


def with_article(document: dict, code: str) -> str:
    document["lines"][-1]["article"] = code
    return text(document)


def with_attachments(document: dict, attachments: str) -> str:
    return text(document).rstrip("}\n") + f',\n  "attachments": {attachments}'


def without(document: dict, name: str) -> str:
    del document[name]
    return text(document)


def invalid() -> dict:
    """Documents that the example itself turns down."""
    return {
        23: ("empty", lambda o: ""),
        61: ("latin-1", in_latin_1),
        98: ("trailing-comma", lambda o: text(o).replace("\n  ]", ",\n  ]")),
        131: ("cut-off", lambda o: text(o)[:200]),
        177: ("upper-case-article", lambda o: with_article(o, "LAMP-OAK-40")),
        214: ("mixed-separators", lambda o: with_article(o, "mug_felt-12")),
        252: ("no-lines", lambda o: without(o, "lines")),
        289: ("text-for-price", lambda o: number(o, "price", '"12.50"')),
    }


def hostile() -> dict:
    """Documents that end or hang a program which does not expect them."""
    return {
        # Deeper than any stack: 8 MiB would leave 56 and 33 bytes for each level.
        42: ("deep-arrays", lambda o: with_attachments(o, "[" * 150_000 + "]" * 150_000 + "\n}\n")),
        205: ("deep-cut-off", lambda o: with_attachments(o, "[" * 250_000)),
        # A time where the month should be, a parcel number as the tax class, a float gone wild.
        77: ("month-is-a-time", lambda o: number(o, "month", "20250611143000")),
        156: ("vat-is-a-parcel", lambda o: number(o, "vat", "99340434218999705811")),
        268: ("price-overflow", lambda o: number(o, "price", "1e999999999")),
        # Something else pasted into the article's field: a picture in hex, a key, a token.
        112: ("article-is-a-picture", lambda o: with_article(o, hex_digits(8000) + "==")),
        187: ("article-is-a-key", lambda o: with_article(o, letters(6000) + "\n")),
        233: ("article-is-a-token", lambda o: with_article(o, hex_digits(7000) + ".v1@eu")),
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    special = invalid() | hostile()
    for index in range(1, COUNT + 1):
        name, content = special.get(index, ("", ordinary))
        content = content(order(index))
        data = content if isinstance(content, bytes) else content.encode()
        path = FOLDER / f"order-{index:04}{'-' + name if name else ''}.json"
        path.write_bytes(data)


if __name__ == "__main__":
    main()
