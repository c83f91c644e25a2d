"""Shell completion: accounts, chats and routes of bridge.yaml, ids of keys, numbers of dead letters. It never fails and waits half
a second at most. It reads only the file's tree, without checking it, so that it works with half-written files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

_MOST = 500
_LARGEST_FILE_BYTES = 4 * 1024 * 1024
_BUSY_S = 0.5

Offers = list[tuple[str, str]]
"""Completions, each with a short help text."""


def offering(find: Callable[[Path, Any], Iterator[tuple[str, str]]]) -> Callable[[typer.Context, str], Offers]:
    """The function that typer calls. `find` gets the configuration's path and the options given so far; if it raises, nothing is
    offered."""

    def offer(ctx: typer.Context, incomplete: str) -> Offers:
        offers: Offers = []
        with suppress(Exception):
            path = Path(ctx.params.get("config") or os.environ.get("MESSENGER_BRIDGE_CONFIG") or "bridge.yaml")
            given = {str(one) for value in ctx.params.values() if isinstance(value, list | tuple) for one in value}
            for word, about in find(path, ctx.params):
                if word.startswith(incomplete) and word not in given:
                    offers.append((word, about))
                if len(offers) >= _MOST:
                    break
        return offers

    return offer


def _routes(path: Path, _: Any) -> Iterator[tuple[str, str]]:
    for route in _items(_root(path), "routes"):
        name = _scalar(route, "name")
        if name:
            yield name, ""


def _accounts(path: Path, _: Any) -> Iterator[tuple[str, str]]:
    for key, _value in getattr(_entry(_root(path), "accounts"), "value", []):
        yield key.value, ""


def _places(path: Path, _: Any) -> Iterator[tuple[str, str]]:
    """Accounts, then the chats that routes name, without their threads."""
    root = _root(path)
    accounts = [key.value for key, _ in getattr(_entry(root, "accounts"), "value", [])]
    yield from ((account, "the whole account") for account in accounts)
    seen = set()
    for route in _items(root, "routes"):
        for key in ("between", "from", "to"):
            node = _entry(route, key)
            ends = node.value if isinstance(getattr(node, "value", None), list) else [node]
            for end in ends:
                written = getattr(end, "value", None)
                # account/chat/thread: deliveries wait for the whole chat
                place = "/".join(written.split("/")[:2]) if isinstance(written, str) else ""
                if place not in seen and place.partition("/")[0] in accounts:
                    seen.add(place)
                    yield place, ""


def _dead(path: Path, params: Any) -> Iterator[tuple[str, str]]:
    for letter in _of_journal(path, params, lambda journal: journal.dead_letters(limit=_MOST)):
        yield str(letter.delivery_id), f"{letter.target}: {letter.reason}"[:80]


def _of_journal(path: Path, params: Any, ask: Callable[[Any], Any]) -> Any:
    import asyncio

    from bridge.config.load import find_journal
    from bridge.journal import open_journal

    given = params.get("journal")
    found = Path(given) if given else getattr(find_journal(path, os.environ)[0], "path", None)
    if found is None or not found.is_file():
        return ()

    async def asked() -> Any:
        async with open_journal(found, exclusive=False, busy_timeout_s=_BUSY_S) as journal:
            return await ask(journal)

    return asyncio.run(asked())


def _keys(path: Path, params: Any) -> Iterator[tuple[str, str]]:
    for key in _of_journal(path, params, lambda journal: journal.keys()):
        if key.revoked_at is None:
            yield key.key_id, f"{key.address} {key.direction.value} {key.label}"


routes = offering(_routes)
accounts = offering(_accounts)
places = offering(_places)
dead_letters = offering(_dead)
keys = offering(_keys)


# -- the file ---------------------------------------------------------------------------------------------------------------


def _root(path: Path) -> Any:
    from bridge.config import nodes
    from bridge.config.faults import Faults

    if path.stat().st_size > _LARGEST_FILE_BYTES:
        return None
    return nodes.parse(path.read_text(encoding="utf-8-sig"), Faults(""))


def _entry(node: Any, key: str) -> Any:
    pairs = node.value if isinstance(getattr(node, "value", None), list) else []
    return next((pair[1] for pair in pairs if isinstance(pair, tuple) and pair[0].value == key), None)


def _items(node: Any, key: str) -> list[Any]:
    value = getattr(_entry(node, key), "value", None)
    return value if isinstance(value, list) else []


def _scalar(node: Any, key: str) -> str:
    value = getattr(_entry(node, key), "value", None)
    return value if isinstance(value, str) else ""
