"""`messenger-bridge hooks`: shows the requests of a key as they arrive, and repeats them. For connecting a new sender.

Works on the journal, beside a running daemon, which keeps requests while somebody watches."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import completing
from bridge.cli.exits import EX_FAILED, EX_TEMPFAIL, EX_USAGE
from bridge.cli.hooks_enable import enable
from bridge.cli.journal import JournalPath, moment, with_journal
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json
from bridge.cli.output import as_json, fail, say, table
from bridge.model.one_line import one_line

if TYPE_CHECKING:
    from bridge.journal.contract import Arrival, ArrivalStore, KeyStore, StoredKey

_LOOK_EVERY_S = 0.25
_LISTEN_S = 60.0
"""How long the journal records a listener; each renewal extends it."""
_REPLAY_WAIT_S = 20.0
_BODY_CHARS = 4000
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

hooks = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Watch or repeat the requests of a key; enable an end that was switched off.",
)
hooks.command()(enable)

Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        help="A key's id, as `keys list` shows it; or the key itself, or its URL.",
        show_default=False,
        autocompletion=completing.keys,
    ),
]


@hooks.command()
def listen(
    key: Key,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Begin with the requests kept from the last 10m, 2h or 1d.")
    ] = "",
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, help="End after this many requests.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Show requests as they arrive, until Ctrl-C: headers (secrets masked), body and response. With --json, one document per
    line."""
    begin = datetime.now(UTC) - (_span(since, json=json) if since else timedelta())

    async def work(opened: ArrivalStore) -> None:
        from bridge.journal.contract.keys import ARRIVALS_KEPT

        found = await _find(opened, key, json=json)
        say(f"listening to {found.key_id}, {found.address} {found.label}".rstrip() + "; end with Ctrl-C")
        left, after, said_s = count, 0, -_LISTEN_S
        while left is None or left > 0:
            if time.monotonic() - said_s > _LISTEN_S / 3:
                await opened.listen_to_key(found.key_id, datetime.now(UTC) + timedelta(seconds=_LISTEN_S))
                said_s = time.monotonic()
            came = await opened.arrivals(found.key_id, after=after)
            if after and len(came) >= ARRIVALS_KEPT:
                say(f"only the latest {ARRIVALS_KEPT} requests are kept, and more arrived: some may be missing here")
            for arrival in came:
                after = arrival.number
                if arrival.arrived_at >= begin and (left is None or left > 0):
                    _show(arrival, json=json)
                    left = left and left - 1
            await asyncio.sleep(_LOOK_EVERY_S)

    with_journal(config, journal, work, json=json)


@hooks.command()
def replay(
    key: Key,
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Repeat what arrived in the last 10m, 2h or 1d.")] = "1h",
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Repeat the requests that are kept: those that were refused, and those that arrived during `hooks listen`. A running daemon
    repeats them within seconds."""
    begin = datetime.now(UTC) - _span(since, json=json)

    async def work(opened: ArrivalStore) -> list[Arrival]:
        found = await _find(opened, key, json=json)
        asked = set(await opened.ask_replay(found.key_id, since=begin, at=datetime.now(UTC)))
        waited_until_s, finished = time.monotonic() + _REPLAY_WAIT_S, 0
        while True:
            done = [one for one in await opened.arrivals(found.key_id) if one.number in asked]
            left = [one for one in done if not one.replay_status]
            if not left or time.monotonic() > waited_until_s:
                return done
            if len(done) - len(left) != finished:
                finished, waited_until_s = len(done) - len(left), time.monotonic() + _REPLAY_WAIT_S
            await asyncio.sleep(_LOOK_EVERY_S)

    _report(with_journal(config, journal, work, json=json), since, json=json)


def _report(done: Sequence[Arrival], since: str, *, json: bool) -> None:
    waiting = [one for one in done if not one.replay_status]
    refused = [one for one in done if (one.replay_status or 0) >= 400]
    if json:
        shown = [
            {"number": one.number, "arrived_at": one.arrived_at, "status": one.replay_status, "answer": one.replay_answer}
            for one in done
        ]
        as_json({"ok": bool(done) and not refused and not waiting, "replayed": shown})
    elif not done:
        say(f"no complete request is kept from the last {since}")
    else:
        rows = [
            (
                str(one.number),
                moment(one.arrived_at),
                str(one.status),
                str(one.replay_status or "waits"),
                one_line(one.replay_answer, 60),
            )
            for one in done
        ]
        table(("number", "arrived", "then", "now", "answer"), rows)
    if waiting:
        if not json:
            say("some are not repeated yet: a daemon repeats them once it runs")
        raise typer.Exit(EX_TEMPFAIL)
    if refused or not done:
        raise typer.Exit(EX_FAILED)


async def _find(opened: Any, given: str, *, json: bool) -> StoredKey:
    from bridge.policy.access_keys import hash_of, looks_right

    store: KeyStore = opened
    secret = given.partition("?")[0].rpartition("/")[2]
    found = await store.find_key(hash_of(secret)) if looks_right(secret) else None
    if found is None:
        found = next((one for one in await store.keys() if one.key_id == given), None)
    if found is None or found.revoked_at is not None:
        fail("there is no such key; `keys list` shows those that are valid", EX_FAILED, json=json)
    return found


def _span(text: str, *, json: bool) -> timedelta:
    match = _SPAN.fullmatch(text)
    if match is None or len(text) > 12:
        fail(f"{one_line(text, 40)!r} is not a duration: write 30s, 10m, 2h or 1d", EX_USAGE, json=json)
    return timedelta(seconds=min(float(match[1]) * _SECONDS[match[2]], 36500 * 86400))


def _show(arrival: Arrival, *, json: bool) -> None:
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(_data(arrival)).decode())
        return
    query = f"?{arrival.query}" if arrival.query else ""
    typer.echo(f"{moment(arrival.arrived_at)}  #{arrival.number}  {one_line(arrival.method + ' ' + query)}")
    for name, value in arrival.headers:
        typer.echo(f"  {one_line(name)}: {one_line(value)}")
    text = arrival.body.decode("utf-8", "replace")
    for line in text[:_BODY_CHARS].splitlines():
        indent = len(line) - len(line.lstrip(" "))
        typer.echo(f"  | {' ' * indent}{one_line(line)}".rstrip())
    if len(text) > _BODY_CHARS or not arrival.is_whole:
        typer.echo("  | ...")
    typer.echo(f"  -> {arrival.status} {one_line(arrival.answer, 200)}\n")


def _data(arrival: Arrival) -> dict[str, Any]:
    return {
        "number": arrival.number,
        "arrived_at": arrival.arrived_at,
        "method": arrival.method,
        "query": arrival.query,
        "headers": arrival.headers,
        "body": arrival.body.decode("utf-8", "replace"),
        "whole": arrival.is_whole,
        "status": arrival.status,
        "answer": arrival.answer,
    }
