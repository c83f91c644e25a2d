"""Names that look alike: one skeleton for all of them. Pure; used by `names`.

Unicode's confusables (UTS #39, in `confusables.txt`), and other ways in which names are imitated in practice: digits for letters,
letters in squares and circles, flags. Two names may count as alike that a careful reader can tell apart; the cost is an unneeded
distinguisher."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import regex

_GROUPS = {
    "a": "4@аαɑᴀạⲁ",
    "b": "8ьвßʙЬ",
    "c": "сϲᴄⅽ",
    "d": "ԁɗⅾ",
    "e": "3еєҽεɛ℮",
    "f": "ғϝƒ",
    "g": "ɡԍց",
    "h": "һнհʜ",
    "j": "јϳյ",
    "k": "кκᴋ",
    "l": "ilıӏ1|ιіɩїاןⅼǀ!",
    "m": "мⅿʍ",
    "n": "пηոɴ",
    "o": "0оοσօ๐ᴏס०০",
    "p": "рρᴘ",
    "q": "ԛգ",
    "r": "гᴦʀ",
    "s": "ѕ5ꜱ$",
    "t": "7тτᴛ",
    "u": "υսᴜцμ",
    "v": "ѵνᴠⅴ",
    "w": "ԝшωѡᴡ",
    "x": "хχ×ⅹ",
    "y": "уүγʏ",
    "z": "ᴢʐ",
}
_TABLE = Path(__file__).with_name("confusables.txt")
_FLAGS = regex.compile(r"\p{Regional_Indicator}")
_BRACKETED = regex.compile(r"[\p{Ps}\p{Pi}<][^\p{Ps}\p{Pi}<]*[\p{Pe}\p{Pf}>]")
"""Something in brackets, as our distinguisher is."""
_SCRIPTS = ("Latin", "Cyrillic", "Greek", "Armenian", "Cherokee", "Coptic", "Lisu", "Canadian_Aboriginal", "Deseret", "Tifinagh")
_OF_SCRIPT = tuple(regex.compile(rf"\p{{Script={script}}}") for script in _SCRIPTS)
"""Alphabets that share forms. No language mixes two of them in one word (UTS #39, restriction levels)."""


@cache
def _fold() -> dict[int, str]:
    """Each look-alike with what it looks like. Read when the first name is looked at."""
    table: dict[int, str] = {}
    for row in _TABLE.read_text(encoding="utf-8").splitlines():
        like, separator, looks = row.partition("\t")
        if separator and not row.startswith("#"):
            table.update((ord(look), like) for look in looks)
    for letter, looks in _GROUPS.items():
        table.update((ord(look), letter) for look in looks)
    return table


@lru_cache(maxsize=1024)
def skeleton(name: str) -> str:
    """Equal for names that a reader may mix up: case, accents, width, spaces, punctuation, symbols and look-alike letters do not
    count. A name without letters and digits is compared by its symbols."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if unicodedata.category(c)[0] != "M")
    letters = "".join(c for c in bare.translate(_fold()).translate(_fold()) if c.isalnum())
    letters = letters.replace("rn", "m").replace("vv", "w")
    return letters or "".join(c for c in bare if unicodedata.category(c)[0] not in "ZC")


def looks_of(name: str) -> Iterator[str]:
    """Skeletons of everything that a reader may mistake the name for: as it is, without flags, and without text in brackets
    (anybody can imitate the bridge's own brackets)."""
    for _ in range(4):
        yield skeleton(name)
        if _FLAGS.search(name):
            yield skeleton(_FLAGS.sub("", name))
        shorter = _BRACKETED.sub("", name)
        if shorter == name or not shorter.strip():
            return
        name = shorter


def mixes_alphabets(name: str) -> bool:
    """Whether some word is written in two alphabets that share forms."""
    return any(sum(script.search(word) is not None for script in _OF_SCRIPT) > 1 for word in regex.findall(r"[\p{L}\p{M}]+", name))
