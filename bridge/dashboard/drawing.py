"""Pages as HTML: the templates, their filters, and the headers that every page has. Escapes everything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from bridge.model.moments import duration, moment
from bridge.model.one_line import one_line
from bridge.model.sizes import size

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.dashboard.parts import Visit

POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ASSETS = {"dashboard.css": "text/css", "dashboard.js": "text/javascript", "icon.svg": "image/svg+xml"}
_WIDTH, _HEIGHT = 360, 60


def as_moment(value: datetime | str | None) -> str:
    """In UTC, to the second; a dash for none."""
    if value is None:
        return "–"
    return moment(datetime.fromisoformat(value) if isinstance(value, str) else value)


def line_of(values: list[float | None]) -> str:
    """An SVG path of the values, oldest first, in a box of 360 x 60; gaps where there are none."""
    most = max((value for value in values if value is not None), default=0.0) or 1.0
    step = _WIDTH / max(len(values) - 1, 1)
    drawn, pen = [], "M"
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        drawn.append(f"{pen}{index * step:.1f} {_HEIGHT - value / most * (_HEIGHT - 2) - 1:.1f}")
        if pen == "M":
            drawn.append("h0.1")  # a single value is a dot
        pen = "L"
    return "".join(drawn)


def page(visit: Visit | None, template: str, values: Mapping[str, Any], *, status: int = 200) -> web.Response:
    """`visit` is None for who is not signed in."""
    from aiohttp import web

    body = _environment().get_template(f"{template}.html").render(visit=visit, page=template, **values)
    return web.Response(status=status, text=body, content_type="text/html", headers=HEADERS)


def asset(name: str) -> web.Response | None:
    """One of the files that the pages load."""
    from aiohttp import web

    kind = _ASSETS.get(name)
    if kind is None:
        return None
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "same-origin"}
    return web.Response(text=_read("static", name), content_type=kind, headers=headers)


@cache
def _read(folder: str, name: str) -> str:
    return files("bridge.dashboard").joinpath(folder, name).read_text(encoding="utf-8")


def load_all() -> None:
    """Translate every template now: that takes a tenth of a second, and blocks."""
    for found in files("bridge.dashboard").joinpath("templates").iterdir():
        _environment().get_template(found.name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: _read("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(line=one_line, moment=as_moment, duration=duration, size=size, path=line_of)
    return environment
