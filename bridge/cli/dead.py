"""`messenger-bridge dead`: what could not be delivered.

Works on the journal, beside a running daemon, which picks up retried dead letters by itself."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import completing
from bridge.cli.exits import EX_FAILED, EX_USAGE
from bridge.cli.journal import JournalPath, moment, with_journal
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json
from bridge.cli.output import as_json, fail, say, table
from bridge.model.one_line import one_line
from bridge.tracing.answers import answer_lines, answers_data

if TYPE_CHECKING:
    from bridge.journal.contract import DeadLetter, DeadLetterStore

_PAGE = 500
_EXCERPT = 40

dead = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Show, retry or drop what could not be delivered (dead letters)."
)

RouteName = Annotated[
    str,
    typer.Option(
        "--route",
        "-r",
        help="Only dead letters of this route.",
        metavar="ROUTE",
        show_default=False,
        autocompletion=completing.routes,
    ),
]
Ids = Annotated[
    list[int] | None,
    typer.Argument(
        help="Numbers of dead letters, as `dead list` shows them.",
        metavar="ID",
        show_default=False,
        autocompletion=completing.dead_letters,
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="All dead letters (with --route: all of that route).")]


@dead.command("list")
def list_(
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    route: RouteName = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Show at most this many, oldest first.")] = 100,
    json: Json = False,
) -> None:
    """List dead letters, oldest first."""

    async def work(opened: DeadLetterStore) -> tuple[list[DeadLetter], bool]:
        found: list[DeadLetter] = []
        async for letter in _letters(opened, route):
            if len(found) == limit:
                return found, True
            found.append(letter)
        return found, False

    letters, more = with_journal(config, journal, work, json=json)
    if json:
        as_json({"dead": [_data(letter) for letter in letters], "more": more})
        return
    if not letters:
        say("no dead letters")
        return
    rows = [
        (str(one.delivery_id), one.state.value, moment(one.died_at), one.route, str(one.target), _excerpt(one), one.reason)
        for one in letters
    ]
    table(("id", "state", "since", "route", "target", "what", "reason"), rows)
    if more:
        say(f"only the first {limit}; -n shows more")


@dead.command()
def show(
    delivery_id: Annotated[
        int,
        typer.Argument(
            metavar="ID", help="The number of a dead letter, as `dead list` shows it.", autocompletion=completing.dead_letters
        ),
    ],
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Show one dead letter in full."""
    letter = with_journal(config, journal, lambda opened: opened.dead_letter(delivery_id), json=json)
    if letter is None:
        fail(f"there is no dead letter {delivery_id}", EX_FAILED, json=json)
    if json:
        as_json(_data(letter))
        return
    meta = letter.event.meta if letter.event is not None else None
    author = f"{meta.author.name} ({meta.author.user_id})" if meta and meta.author else "-"
    for name, value in (
        ("id", str(letter.delivery_id)),
        ("state", letter.state.value),
        ("reason", letter.reason),
        ("route", letter.route),
        ("target", str(letter.target)),
        ("origin", str(meta.origin) + (f"/{meta.thread_id}" if meta.thread_id else "") if meta else "-"),
        ("author", author),
        ("written", moment(meta.occurred_at) if meta else "-"),
        ("given up", moment(letter.died_at)),
        ("attempts", str(letter.attempts)),
        ("parts sent", str(letter.parts_sent)),
        ("what", letter.kind),
        ("text", _text(letter)),
    ):
        typer.echo(f"{name:<11}{one_line(value)}")
    for line in answer_lines(letter.answers):
        typer.echo(one_line(line))


@dead.command()
def retry(
    ids: Ids = None,
    everything: Everything = False,
    route: RouteName = "",
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Deliver dead letters again. Parts that arrived are not sent twice. A running daemon starts within seconds."""

    async def work(opened: DeadLetterStore) -> list[int]:
        chosen = await _chosen(opened, ids, route, json=json)
        if chosen:
            await opened.retry_dead(chosen)
        return chosen

    _check_choice(ids, everything, route, json=json)
    done = with_journal(config, journal, work, json=json)
    _report("retried", done, ids, json=json)


@dead.command()
def drop(
    ids: Ids = None,
    everything: Everything = False,
    route: RouteName = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Drop --all without asking for confirmation.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Drop dead letters for good: they are recorded as skipped by an admin, and never delivered."""

    async def work(opened: DeadLetterStore) -> list[int]:
        chosen = await _chosen(opened, ids, route, json=json)
        if chosen:
            await opened.drop_dead(chosen, at=datetime.now(UTC))
        return chosen

    _check_choice(ids, everything, route, json=json)
    if everything and not yes:
        if not sys.stdin.isatty():
            fail("without a terminal, drop --all needs --yes", EX_USAGE, json=json)
        typer.confirm(f"Drop all dead letters{f' of route {route}' if route else ''}?", abort=True, err=True)
    done = with_journal(config, journal, work, json=json)
    _report("dropped", done, ids, json=json)


def _check_choice(ids: list[int] | None, everything: bool, route: str, *, json: bool) -> None:
    if bool(ids) == everything:
        fail("give the ids of dead letters, or --all", EX_USAGE, json=json)
    if route and not everything:
        fail("--route needs --all", EX_USAGE, json=json)


async def _chosen(opened: DeadLetterStore, ids: list[int] | None, route: str, *, json: bool) -> list[int]:
    if not ids:
        return [letter.delivery_id async for letter in _letters(opened, route)]
    return [one for one in dict.fromkeys(ids) if await opened.dead_letter(one) is not None]


def _report(what: str, done: list[int], ids: list[int] | None, *, json: bool) -> None:
    missing = [one for one in dict.fromkeys(ids or []) if one not in done]
    if json:
        as_json({"ok": not missing, what: done, "unknown": missing})
    else:
        for one in missing:
            say(f"there is no dead letter {one}")
        typer.echo(f"{what}: {len(done)}")
    if missing:
        raise typer.Exit(EX_FAILED)


# -- the letters ----------------------------------------------------------------------------------------------------------


async def _letters(opened: DeadLetterStore, route: str) -> AsyncIterator[DeadLetter]:
    after = 0
    while True:
        page = await opened.dead_letters(after=after, limit=_PAGE)
        for letter in page:
            if not route or letter.route == route:
                yield letter
        if len(page) < _PAGE:
            return
        after = page[-1].delivery_id


# -- words ------------------------------------------------------------------------------------------------------------------


def _text(letter: DeadLetter) -> str:
    from bridge.model.rich_text import text_of

    content = getattr(letter.event, "content", None)
    if content is None:
        return ""
    files = [attachment.name or attachment.kind.value for attachment in content.attachments]
    return " ".join(part for part in (text_of(content.text), *(f"[{name}]" for name in files)) if part)


def _excerpt(letter: DeadLetter) -> str:
    text = _text(letter)
    return one_line(text, _EXCERPT) if text else letter.kind


def _data(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.delivery_id,
        "state": letter.state.value,
        "reason": letter.reason,
        "route": letter.route,
        "target": str(letter.target),
        "attempts": letter.attempts,
        "parts_sent": letter.parts_sent,
        "died_at": letter.died_at,
        "kind": letter.kind,
        "text": _text(letter),
        "event": letter.event,
        "answers": answers_data(letter.answers),
    }
