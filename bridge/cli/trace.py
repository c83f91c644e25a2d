"""`messenger-bridge trace`: the state of one message in each chat: delivered, skipped by which rule, or waiting until when and why.
With `--follow`: what becomes of all messages, as it happens.

Reads the journal, whether or not a daemon runs. Explains from bridge.yaml what the journal does not know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import completing
from bridge.cli.daemon import Daemon, NoDaemon
from bridge.cli.exits import EX_FAILED, EX_USAGE
from bridge.cli.following import tap
from bridge.cli.journal import JournalPath, moment, with_journal
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json, known_routes, load_or_exit
from bridge.cli.output import as_json, fail, say, table
from bridge.journal.tracing import StepKind
from bridge.model.one_line import one_line
from bridge.tracing.answers import answer_lines
from bridge.tracing.asking import is_words
from bridge.tracing.steps import Wanted

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.journal.tracing import Traced
    from bridge.tracing.finding import WordsAnswer
    from bridge.tracing.known import Known


_DAEMON_S = 5.0

What = Annotated[
    str | None,
    typer.Argument(
        metavar="MESSAGE",
        help="A link to the message as the platform's app copies it, ACCOUNT/CHAT#ID as in the log, the number of a delivery; or"
        " words of a message that waits, is dead, or was edited.",
        show_default=False,
    ),
]
Words = Annotated[bool, typer.Option("--words", help="MESSAGE is words, also if it looks like a link, a reference or a number.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Show what happens as it happens, a line for each outcome.")]
Begin = Annotated[
    int | None,
    typer.Option(
        "--from",
        min=1,
        metavar="STEP",
        show_default=False,
        help="Begin with that step. Without --follow: show what there is, and end.",
    ),
]
Routes = Annotated[
    list[str] | None,
    typer.Option("--route", metavar="ROUTE", show_default=False, help="Only this route.", autocompletion=completing.routes),
]
Outcomes = Annotated[list[StepKind] | None, typer.Option("--outcome", show_default=False, help="Only this outcome.")]


def trace(
    what: What = None,
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    words: Words = False,
    follow: Follow = False,
    begin: Begin = None,
    route: Routes = None,
    outcome: Outcomes = None,
    json: Json = False,
) -> None:
    """Show the deliveries of a message to each chat, and why each is skipped, waits or failed. Takes the original or any copy. Or
    show all that happens, with --follow."""
    loaded = load_or_exit(config, json=json)
    if follow or begin is not None:
        if what is not None or words:
            fail("--follow and --from show all messages: name none", EX_USAGE, json=json)
        wanted = Wanted(frozenset(known_routes(loaded, route or [], json=json)), frozenset(outcome or []))
        tap(config, journal, loaded, wanted, begin, live=follow, json=json)
    elif what is None:
        fail("give the words to look for" if words else "name a message, or give --follow", EX_USAGE, json=json)
    elif route or outcome:
        fail("--route and --outcome belong to --follow and --from", EX_USAGE, json=json)
    elif words or is_words(what):
        found = _with_words(what, config, journal, loaded, json=json)
        _answer(found.found, found.known, found.unknown, found.note, json=json)
    else:
        _trace_one(what, config, journal, loaded, json=json)


def _trace_one(what: str, config: Path, journal: Path | None, loaded: Config, *, json: bool) -> None:
    """Of one message as it was named. What names none may still be what somebody wrote."""
    from adapters import registry
    from bridge.tracing.asking import asked_for, is_number
    from bridge.tracing.conditions import Conditions
    from bridge.tracing.finding import find

    asked = int(what) if is_number(what) else asked_for(what, loaded, registry.load_platform)
    unknown = asked if isinstance(asked, str) else ""
    if not isinstance(asked, str):
        now, conditions = datetime.now(UTC), Conditions(lambda: _status(config, journal or loaded.journal.path))
        answer = with_journal(
            config, journal, lambda opened: find(opened, asked, loaded, now=now, conditions=conditions), json=json
        )
        unknown = answer.why_unknown(asked)
        if not unknown:
            _answer(answer.found, answer.known, "", "", json=json)
            return
    words = _with_words(what, config, journal, loaded, json=json)
    if words.found:
        note = f"{unknown}; shown is what has it among its words" + (f". {words.note}" if words.note else "")
        _answer(words.found, words.known, "", note, json=json)
    elif isinstance(asked, str):
        fail(unknown, EX_USAGE, json=json)
    else:
        _answer([], words.known, unknown, "", json=json)


def _with_words(words: str, config: Path, journal: Path | None, loaded: Config, *, json: bool) -> WordsAnswer:
    from bridge.tracing.finding import find_words

    return with_journal(config, journal, lambda opened: find_words(opened, words, loaded, now=datetime.now(UTC)), json=json)


def _answer(found: list[Traced], known: Known, unknown: str, note: str, *, json: bool) -> None:
    if json:
        data: dict[str, Any] = {"ok": not unknown, "messages": [known.data(traced) for traced in found]}
        as_json(data | {name: text for name, text in (("unknown", unknown), ("note", note)) if text})
    elif unknown:
        typer.echo(one_line(unknown))
    for number, traced in enumerate(() if json else found):
        if number:
            typer.echo()
        _show_one(traced, known)
    if note and not json:
        say(one_line(note))
    if unknown:
        raise typer.Exit(EX_FAILED)


def _status(config: Path, journal: Path) -> Mapping[str, Any]:
    """Of the running daemon. Only asked for what waits, and for what never came."""
    from bridge.tracing.conditions import NotAsked

    try:
        return Daemon(config, journal).ask("GET", "/status", within_s=_DAEMON_S)
    except NoDaemon as error:
        raise NotAsked(str(error)) from error


# -- showing ----------------------------------------------------------------------------------------------------------------


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
