"""`messenger-bridge trace`: the state of one message in each chat: delivered, skipped by which rule, or waiting until when and why.

Reads the journal, whether or not a daemon runs. Explains from bridge.yaml what the journal does not know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.exits import EX_FAILED, EX_USAGE
from bridge.cli.journal import JournalPath, moment, with_journal
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json, load_or_exit
from bridge.cli.output import as_json, fail, one_line, table
from bridge.tracing.answers import answer_lines

if TYPE_CHECKING:
    from bridge.journal.tracing import Traced
    from bridge.tracing.finding import Answer
    from bridge.tracing.known import Known


What = Annotated[
    str,
    typer.Argument(
        metavar="MESSAGE",
        help="A link to the message as the platform's app copies it, ACCOUNT/CHAT#ID as in the log, or the number of a delivery.",
        show_default=False,
    ),
]


def trace(what: What, config: ConfigPath = DEFAULT_CONFIG, journal: JournalPath = None, json: Json = False) -> None:
    """Show the deliveries of a message to each chat, and why each is skipped, waits or failed. Takes the original or any copy."""
    from adapters import registry
    from bridge.tracing.asking import asked_for
    from bridge.tracing.finding import find

    loaded = load_or_exit(config, json=json)
    asked = int(what) if what.isascii() and what.isdecimal() else asked_for(what, loaded, registry.load_platform)
    if isinstance(asked, str):
        fail(asked, EX_USAGE, json=json)
    answer = with_journal(config, journal, lambda opened: find(opened, asked, loaded, now=datetime.now(UTC)), json=json)
    unknown = answer.why_unknown(asked)
    if json:
        as_json(_data(answer, unknown))
    elif unknown:
        typer.echo(one_line(unknown))
    else:
        _show(answer)
    if unknown:
        raise typer.Exit(EX_FAILED)


# -- showing ----------------------------------------------------------------------------------------------------------------


def _show(answer: Answer) -> None:
    for number, traced in enumerate(answer.found):
        if number:
            typer.echo()
        _show_one(traced, answer.known)


def _show_one(traced: Traced, known: Known) -> None:
    from bridge.tracing.known import change_title, left_out, titles

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


def _data(answer: Answer, unknown: str) -> dict[str, Any]:
    return {
        "ok": not unknown,
        "messages": [answer.known.data(traced) for traced in answer.found],
        **({"unknown": unknown} if unknown else {}),
    }
