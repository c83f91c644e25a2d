"""`messenger-bridge routes`: every route, and how each kind of message is shown at its target. Sends nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import completing
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json, known_routes, load_or_exit
from bridge.cli.output import as_json, styled

if TYPE_CHECKING:
    from bridge.cli.support_matrix import KindSupport, Side
    from bridge.config.model import Config
    from bridge.policy.routing import Route, RouteEnd


def routes(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Show only these routes.", metavar="ROUTE", show_default=False, autocompletion=completing.routes),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    short: Annotated[bool, typer.Option("--short", "-s", help="Show only which end relays to which.")] = False,
    json: Json = False,
) -> None:
    """Show the routes, and how each kind of message is relayed in each direction: native, partly, converted, dropped, off."""
    loaded = load_or_exit(config, json=json)
    chosen = [route for route in loaded.routes if not names or route.name in names]
    known_routes(loaded, names or [], json=json)
    plan = _Plan(loaded)
    if json:
        as_json([plan.data(route, short=short) for route in chosen])
        return
    for number, route in enumerate(chosen):
        if number and not short:
            typer.echo()
        for line in plan.lines(route, short=short):
            typer.echo(line)


class _Plan:
    """Support per pair of accounts and options: thousands of routes share a few."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._sides: dict[str, Side] = {}
        self._support: dict[Any, list[KindSupport]] = {}

    def lines(self, route: Route, *, short: bool) -> Iterator[str]:
        yield styled(f"{route.name}", "ok")
        for rule in route.filters:
            yield f"  {rule.name}"
        for origin, target in _directions(route):
            yield f"  {origin} -> {target}"
            if short:
                continue
            by_level: dict[str, list[KindSupport]] = {}
            for fate in self._of(origin, target):
                by_level.setdefault(fate.level.value, []).append(fate)
            for level in ("native", "partly", "converted", "dropped", "off"):
                if level not in by_level:
                    continue
                said = [f"{fate.kind} ({fate.note})" if fate.note else fate.kind for fate in by_level[level]]
                yield from _wrapped(level, said)

    def data(self, route: Route, *, short: bool) -> dict[str, Any]:
        return {
            "name": route.name,
            "filter": [rule.name for rule in route.filters],
            "directions": [
                {
                    "from": str(origin),
                    "to": str(target),
                    **({} if short else {"kinds": [self._kind(fate) for fate in self._of(origin, target)]}),
                }
                for origin, target in _directions(route)
            ],
        }

    def _kind(self, fate: KindSupport) -> dict[str, str]:
        return {"kind": fate.kind, "level": fate.level.value, "note": fate.note}

    def _of(self, origin: RouteEnd, target: RouteEnd) -> list[KindSupport]:
        from bridge.cli.support_matrix import support_of

        key = (origin.chat.account, target.chat.account, target.options)
        if key not in self._support:
            self._support[key] = support_of(self._side(origin.chat.account), self._side(target.chat.account), target.options)
        return self._support[key]

    def _side(self, name: str) -> Side:
        from adapters import registry
        from bridge.cli.support_matrix import Side

        if name not in self._sides:
            account = next(account for known, account in self._config.accounts.items() if known == name)
            manifest = registry.load_platform(account.platform)
            capabilities = manifest.capabilities(account.options)
            self._sides[name] = Side(platform=account.platform, title=manifest.title, capabilities=capabilities)
        return self._sides[name]


def _directions(route: Route) -> Iterator[tuple[RouteEnd, RouteEnd]]:
    for origin in route.ends:
        for target in route.ends:
            if origin.sends and target.receives and origin is not target:
                yield origin, target


def _wrapped(level: str, said: list[str]) -> Iterator[str]:
    """`    converted  spoiler (...), list (...)`, broken between kinds."""
    width = min(shutil.get_terminal_size((110, 0)).columns, 130) - 16
    head, indent = f"    {styled(f'{level:<9}', level)}  ", " " * 15
    line = ""
    for number, one in enumerate(said):
        piece = one + ("," if number < len(said) - 1 else "")
        if line and len(line) + len(piece) + 1 > width:
            yield head + line
            head, line = indent, piece
        else:
            line = f"{line} {piece}" if line else piece
    yield head + line
