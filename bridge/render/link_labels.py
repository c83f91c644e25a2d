"""Whether a link's label names another target than the link has. Pure. Asked by `degrade`, for all platforms at once.

On the platform where it was typed such a link may have been shown bare, or with a warning; a copy must not hide the target.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

_SLASHES = str.maketrans({"\u2044": "/", "\u2215": "/", "\u29f8": "/", "\u3002": ".", "\uff61": ".", "\\": "/"})
_WITH_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]{1,30}:/{1,3}(?P<host>[^\s/?#]+)")
_DOMAIN = re.compile(r"(?P<host>(?:[^\W_](?:[\w\-]{0,62})\.){1,8}[^\W\d_]{2,24})(?![\w@])")
_NAMES_OF_FILES = (
    "c cc conf cpp cs css csv doc docx exe gif go gz h html ini java jpeg jpg js json kt lock log md mov mp3 mp4 odt ogg pdf "
    "php png ppt pptx py rar rb rs rst sh so sql svg swift tar toml ts tsx txt wav webp xls xlsx xml yaml yml zip"
)
_FILE_ENDINGS = frozenset(_NAMES_OF_FILES.split())
"""What ends the names of files at least as often as those of hosts."""
_LONGEST = 2000
"""Only the beginning of a longer label is looked at."""


def claims_other_address(label: str, url: str) -> bool:
    """Whether the label holds an address of another host than the link leads to."""
    if label == url or not (":" in label or "." in label or "\u3002" in label or "\uff61" in label or not label.isascii()):
        return False
    target = _host_of(url)
    return any(host != target for host in _hosts_in(label))


def _hosts_in(label: str) -> list[str]:
    shown = _plain(label)
    found = [_host(match["host"]) for match in _WITH_SCHEME.finditer(shown)]
    rest = _WITH_SCHEME.sub(" ", shown)
    for match in _DOMAIN.finditer(rest):
        host = match["host"]
        is_file = (
            host.rpartition(".")[2] in _FILE_ENDINGS and not host.startswith("www.") and rest[match.end() : match.end() + 1] != "/"
        )
        if not is_file:
            found.append(_host(host))
    return found


def _plain(label: str) -> str:
    """As a reader sees it: no invisible characters, wide and small forms as plain ones."""
    visible = "".join(c for c in label[:_LONGEST] if unicodedata.category(c) not in ("Cf", "Mn", "Me"))
    return unicodedata.normalize("NFKC", visible).translate(_SLASHES).casefold()


def _host_of(url: str) -> str:
    scheme, _, rest = url.partition(":")
    if scheme.casefold() == "mailto":
        return _host(rest.partition("?")[0])
    try:
        return _host(urlsplit(url).netloc)
    except ValueError:
        return ""


def _host(netloc: str) -> str:
    """Without user, port, `www.` and trailing dots."""
    host = unicodedata.normalize("NFKC", netloc).casefold().rpartition("@")[2]
    host = host if host.startswith("[") else host.partition(":")[0]
    return host.strip(".,;!?)'\"").removeprefix("www.")
