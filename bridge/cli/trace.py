"""`messenger-bridge trace`: the state of one message in each chat: delivered, skipped by which rule, or waiting until when and why.

Reads the journal, whether or not a daemon runs. Explains from bridge.yaml what the journal does not know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from bridge.cli.answers import answer_lines
from bridge.cli.exits import EX_FAILED, EX_USAGE
from bridge.cli.journal import JournalPath, moment, with_journal
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json, load_or_exit
from bridge.cli.output import as_json, fail, one_line, table

if TYPE_CHECKING:
    from bridge.cli.tracing import Asked, Known
    from bridge.config.model import Config
    from bridge.journal.contract import AddressStore, TraceStore, WaitStore
    from bridge.journal.tracing import Traced

    class _Store(TraceStore, AddressStore, WaitStore, Protocol):
        pass


What = Annotated[
    str,
    typer.Argument(
        metavar="MESSAGE",
        help="A link to the message as the platform's app copies it, ACCOUNT/CHAT#ID as in the log, or the number of a delivery.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class _Answer:
    found: list[Traced]
    known: Known
    """What bridge.yaml and the journal say about the chats."""


def trace(what: What, config: ConfigPath = DEFAULT_CONFIG, journal: JournalPath = None, json: Json = False) -> None:
    """Show the deliveries of a message to each chat, and why each is skipped, waits or failed. Takes the original or any copy."""
    from bridge.cli.tracing import asked_for

    loaded = load_or_exit(config, json=json)
    asked = int(what) if what.isascii() and what.isdecimal() else asked_for(what, loaded)
    if isinstance(asked, str):
        fail(asked, EX_USAGE, json=json)
    answer = with_journal(config, journal, lambda opened: _ask(opened, asked, loaded), json=json)
    unknown = ""
    if not answer.found:
        unknown = f"there is no delivery {asked}" if isinstance(asked, int) else answer.known.why_unknown(asked)
    if json:
        as_json(_data(answer, unknown))
    elif unknown:
        typer.echo(one_line(unknown))
    else:
        _show(answer)
    if unknown:
        raise typer.Exit(EX_FAILED)


async def _ask(journal: _Store, asked: int | list[Asked], config: Config) -> _Answer:
    from bridge.cli.tracing import Known

    native_ids = {account: await journal.native_ids(account) for account in config.accounts}
    waits = {name: wait.until for name, wait in (await journal.waits()).items()}
    known = Known(config, native_ids, waits, datetime.now(UTC))
    if isinstance(asked, int):
        traced = await journal.trace_delivery(asked)
        return _Answer([traced] if traced else [], known)
    found: list[Traced] = []
    for one in asked:
        here = [traced for message in known.messages(one) for traced in await journal.trace(message)]
        if not here and one.is_unique:
            here = list(await journal.trace_anywhere(one.account, one.message_id))
        found += here
    return _Answer(list({traced.event.event_seq: traced for traced in found}.values()), known)


# -- showing ----------------------------------------------------------------------------------------------------------------


def _show(answer: _Answer) -> None:
    for number, traced in enumerate(answer.found):
        if number:
            typer.echo()
        _show_one(traced, answer.known)


def _show_one(traced: Traced, known: Known) -> None:
    from bridge.cli.tracing import change_title, left_out, titles

    for line in titles(traced):
        typer.echo(one_line(line))
    for event in (traced.event, *traced.changes):
        if event is not traced.event:
            typer.echo(change_title(event, traced))
        rows = []
        for one in event.deliveries:
            target = f"{one.target}/{one.thread_id}" if one.thread_id else str(one.target)
            when = one.ended_at or known.due(one)
            rows.append((str(one.delivery_id), target, one.route, one.state.value, moment(when) if when else "-", known.why(one)))
        table(("delivery", "target", "route", "state", "when (UTC)", "why"), rows)
        for one in event.deliveries:
            for line in answer_lines(one.answers):
                typer.echo(one_line(f"{one.delivery_id} {line}"))
    for line in (*left_out(traced), *known.missing(traced)):
        typer.echo(one_line(line))


def _data(answer: _Answer, unknown: str) -> dict[str, Any]:
    return {
        "ok": not unknown,
        "messages": [answer.known.data(traced) for traced in answer.found],
        **({"unknown": unknown} if unknown else {}),
    }
