"""Names that look alike: one skeleton for all of them. Pure; used by `names`.

A short form of Unicode's confusables (UTS #39): the letters with which names are imitated in practice. It may take two names for
alike that a careful reader can tell apart; the price is a distinguisher too many.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_GROUPS = {
    "a": "аαɑᴀạⲁ",
    "b": "ьвßʙЬ",
    "c": "сϲᴄⅽ",
    "d": "ԁɗⅾ",
    "e": "еєҽεɛ℮",
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
    "t": "тτᴛ",
    "u": "υսᴜцμ",
    "v": "ѵνᴠⅴ",
    "w": "ԝшωѡᴡ",
    "x": "хχ×ⅹ",
    "y": "уүγʏ",
    "z": "ᴢʐ",
}
_FOLD = str.maketrans({look: letter for letter, looks in _GROUPS.items() for look in looks})


@lru_cache(maxsize=1024)
def skeleton(name: str) -> str:
    """Equal for names that a reader may mix up: case, accents, width, spaces, punctuation, symbols and look-alike letters do not
    count. A name without letters and digits is compared by its symbols."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if unicodedata.category(c)[0] != "M")
    letters = "".join(c for c in bare.translate(_FOLD) if c.isalnum())
    letters = letters.replace("rn", "m").replace("vv", "w")
    return letters or "".join(c for c in bare if unicodedata.category(c)[0] not in "ZC")
