"""A proxy's URL as options contain it. Apart from `options`, which needs pydantic."""

from __future__ import annotations


class ProxyUrl(str):
    """A proxy's URL. It is used as the text it is; shown as a value (in options, in tracebacks) it has no password."""

    __slots__ = ()

    def __repr__(self) -> str:
        scheme, separator, rest = self.partition("://")
        login, at, place = rest.rpartition("@")
        user, colon, _ = login.partition(":")
        return repr(f"{scheme}{separator}{user}{colon and ':***'}{at}{place}")
