"""Make `bridge/identity/confusables.txt` from the data of `confusable_homoglyphs` (Unicode's confusables, UTS #39): a line for each
letter or digit, then all single characters that look like it and that `unicodedata` alone does not lead to it.

    pip download confusable_homoglyphs --no-deps; unzip *.whl; python scripts/confusables.py confusable_homoglyphs/confusables.json
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from pathlib import Path

_BY_NAME = re.compile(
    r"(?:REGIONAL INDICATOR SYMBOL|TAG LATIN (?:CAPITAL|SMALL)"
    r"|(?:NEGATIVE|CROSSED NEGATIVE|SQUARED|CIRCLED|PARENTHESIZED|RAISED)\b.*"
    r"|LATIN(?: CAPITAL| SMALL)?(?: LETTER)?(?: SMALL CAPITAL)?|MODIFIER LETTER(?: CAPITAL| SMALL)?)(?: LATIN)?(?: CAPITAL| SMALL)?"
    r"(?: LETTER)?(?: TURNED| REVERSED| SMALL CAPITAL| OPEN| DOTLESS| LONG)? (?P<letter>[A-Z])(?: WITH .*)?"
)


def plain(text: str) -> str:
    """What `unicodedata` makes of it: no case, width, accents."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in unicodedata.normalize("NFKD", folded) if unicodedata.category(c)[0] != "M")


def is_letter(c: str) -> bool:
    """Not punctuation, white space, a mark, nor what every keyboard has."""
    return not c.isascii() and unicodedata.category(c)[0] in "LNS" and unicodedata.category(c) != "Sk"


def main(source: Path, target: Path) -> None:
    pairs = {c: [other["c"].strip("\u200e") for other in others] for c, others in json.loads(source.read_text()).items()}
    found: dict[str, str] = {}
    for c, others in pairs.items():
        c = c.strip("\u200e")
        if len(c) == 1 and len(others) == 1:
            found[c] = others[0]
    for code in range(0x80, 0x110000):
        c = chr(code)
        match = _BY_NAME.fullmatch(unicodedata.name(c, ""))
        if match and c not in found:
            found[c] = match["letter"].lower()
    lines: dict[str, str] = {}
    for c, like in sorted(found.items()):
        for _ in range(4):
            like = "".join(plain(found.get(one, one)) for one in like)
        keys = {one for one in (c, plain(c)) if len(one) == 1 and plain(one) != like and is_letter(one)}
        if like.isalnum() and len(like) <= 3:
            for one in sorted(keys):
                if one not in lines.get(like, ""):
                    lines[like] = lines.get(like, "") + one
    body = "".join(f"{like}\t{looks}\n" for like, looks in sorted(lines.items()))
    head = (
        "# Characters that look alike: a letter or digit, then what looks like it. Made by scripts/confusables.py.\n"
        "# From Unicode's confusables.txt (UTS #39). Copyright 1991-2024 Unicode, Inc. Unicode License v3:\n"
        "# https://www.unicode.org/license.txt . Read through confusable_homoglyphs 3.3.1 (MIT).\n"
    )
    target.write_text(head + body, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent.parent / "bridge" / "identity" / "confusables.txt")
