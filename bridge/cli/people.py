"""`messenger-bridge people`: links between accounts of one person, opt-outs and mutes. Works on the journal; a running daemon
applies changes within seconds."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.exits import EX_FAILED, EX_USAGE
from bridge.cli.journal import JournalPath, moment, with_journal
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json
from bridge.cli.output import as_json, fail, say, table
from bridge.cli.persons import AT_COMMAND_LINE, PersonArgument, users_of

if TYPE_CHECKING:
    from bridge.journal.contract import Audited, Decision, Journal, LinkedUser, UserKey

people = typer.Typer(
    add_completion=False, no_args_is_help=True, help="List linked accounts, opt-outs and mutes; link and unlink accounts."
)

User = Annotated[str, typer.Argument(metavar="ACCOUNT/USER-ID", show_default=False)]
Minutes = Annotated[int, typer.Option("--minutes", min=0, help="How long; 0: until `unmute`.", metavar="MINUTES")]


@people.command("list")
def list_(config: ConfigPath = DEFAULT_CONFIG, journal: JournalPath = None, json: Json = False) -> None:
    """List linked accounts, and the people who opted out or are muted."""

    async def work(opened: Journal) -> tuple[list[LinkedUser], list[Decision]]:
        return list(await opened.persons.linked()), list(await opened.persons.decisions())

    linked, decisions = with_journal(config, journal, work, json=json)
    if json:
        as_json({"linked": [_linked(one) for one in linked], "decisions": [_decided(one) for one in decisions]})
        return
    if not linked and not decisions:
        say("no linked accounts, no opt-outs, no mutes")
    if linked:
        table(("person", "account", "name", "since (UTC)"), [(o.person, str(o.user), o.name, moment(o.at)) for o in linked])
    if decisions:
        rows = [(str(o.user), o.name, o.kind.value, moment(o.at), moment(o.until) if o.until else "-", o.by) for o in decisions]
        table(("account", "name", "is", "since (UTC)", "until (UTC)", "by"), rows)


@people.command()
def link(one: User, other: User, config: ConfigPath = DEFAULT_CONFIG, journal: JournalPath = None, json: Json = False) -> None:
    """Link two accounts of one person."""
    from bridge.journal.contract import LinkedUser

    users = [_user(text, json=json) for text in (one, other)]
    now, person = datetime.now(UTC), secrets.token_hex(8)

    async def work(opened: Journal) -> None:
        first, second = (LinkedUser(user=user, person=person, name="", username="", at=now) for user in users)
        await opened.persons.link_users(first, second)
        await opened.persons.audit(_note("link", f"{users[0]} = {users[1]}"))

    if users[0] == users[1]:
        fail("both are the same account: give two different ones", EX_USAGE, json=json)
    with_journal(config, journal, work, json=json)
    _done(f"{users[0]} and {users[1]} are linked", json=json)


@people.command()
def unlink(user: User, config: ConfigPath = DEFAULT_CONFIG, journal: JournalPath = None, json: Json = False) -> None:
    """Remove an account from the linked accounts of a person."""
    key = _user(user, json=json)

    async def work(opened: Journal) -> bool:
        done = await opened.persons.unlink_user(key)
        if done:
            await opened.persons.audit(_note("unlink", str(key)))
        return done

    if not with_journal(config, journal, work, json=json):
        fail(f"{key} is not linked", EX_FAILED, json=json)
    _done(f"{key} is no longer linked", json=json)


def mute(
    person: PersonArgument,
    minutes: Minutes = 0,
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Stop relaying a person, on all of their accounts."""
    _decide(person, "MUTED", "is muted", config, journal, minutes, json=json)


def unmute(person: PersonArgument, config: ConfigPath = DEFAULT_CONFIG, journal: JournalPath = None, json: Json = False) -> None:
    """Relay a muted person again."""
    from bridge.journal.contract import DecisionKind

    async def work(opened: Journal) -> list[UserKey]:
        users = users_of(person, config, await opened.persons.linked(), json=json)
        lifted = [user for user in users if await opened.persons.undecide(user, DecisionKind.MUTED)]
        for user in lifted:
            await opened.persons.audit(_note("unmute", str(user)))
        return lifted

    if not with_journal(config, journal, work, json=json):
        fail(f"{person} was not muted", EX_FAILED, json=json)
    _done(f"{person} is relayed again", json=json)


def audit(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Show at most this many, newest first.")] = 100,
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Show the audit: who deleted, muted, linked, opted out or retried. It holds no texts of messages."""

    async def work(opened: Journal) -> list[Audited]:
        return list(await opened.persons.audited(limit=limit))

    found = with_journal(config, journal, work, json=json)
    if json:
        as_json({"audit": [_audited(one) for one in found]})
    elif not found:
        say("the audit is empty")
    else:
        table(("when (UTC)", "by", "did", "to", "result"), [(moment(o.at), o.actor, o.action, o.subject, o.result) for o in found])


# -- parts ------------------------------------------------------------------------------------------------------------------


def _decide(person: str, kind: str, done: str, config: Any, journal: Any, minutes: int, *, json: bool) -> None:
    from bridge.journal.contract import Decision, DecisionKind

    now = datetime.now(UTC)
    until = now + timedelta(minutes=minutes) if minutes else None

    async def work(opened: Journal) -> None:
        for user in users_of(person, config, await opened.persons.linked(), json=json):
            decided = Decision(user=user, kind=DecisionKind[kind], name=person, at=now, by=AT_COMMAND_LINE, until=until)
            await opened.persons.decide(decided)
            await opened.persons.audit(_note("mute", str(user)))

    with_journal(config, journal, work, json=json)
    _done(f"{person} {done}" + (f" for {minutes} minutes" if minutes else ""), json=json)


def _note(action: str, subject: str) -> Audited:
    from bridge.journal.contract import Audited

    return Audited(at=datetime.now(UTC), actor=AT_COMMAND_LINE, action=action, subject=subject)


def _user(text: str, *, json: bool) -> UserKey:
    from bridge.journal.contract import UserKey
    from bridge.model.refs import AccountName

    account, slash, user_id = text.partition("/")
    if not slash or not account or not user_id:
        fail(f"{text!r} is not ACCOUNT/USER-ID", EX_USAGE, json=json)
    return UserKey(account=AccountName(account), user_id=user_id)


def _done(said: str, *, json: bool) -> None:
    if json:
        as_json({"ok": True})
    else:
        typer.echo(said)


def _linked(one: LinkedUser) -> dict[str, Any]:
    return {"person": one.person, "account": one.user.account, "user_id": one.user.user_id, "name": one.name, "at": one.at}


def _decided(one: Decision) -> dict[str, Any]:
    user = {"account": one.user.account, "user_id": one.user.user_id, "name": one.name}
    return {**user, "kind": one.kind.value, "at": one.at, "until": one.until, "by": one.by}


def _audited(one: Audited) -> dict[str, Any]:
    return {"at": one.at, "actor": one.actor, "action": one.action, "subject": one.subject, "result": one.result}
