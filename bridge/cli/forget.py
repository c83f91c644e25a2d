"""`messenger-bridge forget`: deletes the copies of a person's messages, and erases their texts from the journal.

The deletions are ordinary deliveries: a running daemon carries them out within seconds; without one, they wait for the next start.
The originals stay on the person's own platform: only the person decides about them."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec.structs import replace

from bridge.cli.exits import EX_FAILED
from bridge.cli.journal import JournalPath, journal_file, with_journal
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json
from bridge.cli.output import as_json, say, table
from bridge.cli.persons import AT_COMMAND_LINE, PersonArgument, users_of
from bridge.journal import former_copies

if TYPE_CHECKING:
    from bridge.journal.contract import Journal, UserKey
    from bridge.journal.tracing import Traced

_POLL_S = 0.5


def forget(
    person: PersonArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted, and where.")] = False,
    wait_s: Annotated[
        float,
        typer.Option(
            "--wait", min=0, help="Seconds to wait for the deletions, so that their results are reported.", metavar="SECONDS"
        ),
    ] = 60.0,
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Delete the copies of a person's messages that the journal knows, as far as the platforms allow it."""

    async def work(opened: Journal) -> dict[str, Any]:
        users = users_of(person, config, await opened.persons.linked(), json=json)
        found = [traced for user in users for traced in await _written(opened, user)]
        if dry_run:
            return _report(found, Counter(_places(found)), {}, users)
        return await _erase(opened, users, found, wait_s)

    report = with_journal(config, journal, work, json=json)
    if not dry_run:
        why = "a copy of before an upgrade, which nothing is erased from: delete it once the new version works"
        copies = former_copies(journal_file(config, journal, json=json))
        report["left"] += [{"where": str(copy), "why": why, "messages": report["messages"]} for copy in copies]
    if json:
        as_json({"ok": not report["left"], "dry_run": dry_run, **report})
    else:
        _show(report, dry_run=dry_run)
    if report["left"]:
        raise typer.Exit(EX_FAILED)


async def _written(journal: Journal, user: UserKey) -> list[Traced]:
    """All messages of that user that the journal knows, with their copies."""
    found: list[Traced] = []
    after = 0
    while page := await journal.persons.messages_of(user, after=after):
        after = page[-1][0]
        for seq, message in page:
            found += [one for one in await journal.trace(message) if one.event.event_seq == seq]
    return found


def _places(found: list[Traced]) -> list[str]:
    return [str(one.target) for traced in found for one in traced.event.deliveries for _ in one.copies]


async def _erase(journal: Journal, users: list[UserKey], found: list[Traced], wait_s: float) -> dict[str, Any]:
    from bridge.files.faces import LONGEST_LINK
    from bridge.intake.commands import deletion
    from bridge.journal.contract import Audited, Decision, DecisionKind, DeliveryStatus
    from bridge.model.events import EventMeta
    from bridge.policy.routing import RoutingTable

    now = datetime.now(UTC)
    for user in users:
        mark = Decision(user=user, kind=DecisionKind.FORGOTTEN, name="", at=now, by=AT_COMMAND_LINE, until=now + LONGEST_LINK)
        await journal.persons.decide(mark)
    ids: dict[int, str] = {}
    for traced in found:
        dead = [one.delivery_id for one in traced.event.deliveries if one.state in (DeliveryStatus.DEAD, DeliveryStatus.HELD)]
        await journal.drop_dead(dead, at=now)
        assert traced.original is not None
        meta = EventMeta(event_key="", origin=traced.original.chat, occurred_at=now, received_at=now)
        request = deletion(traced, RoutingTable(()), meta)
        event = replace(request.event, everywhere=False, meta=replace(request.event.meta, event_key=f"forgotten:{traced.original}"))
        (result,) = await journal.accept(
            journal.lease(traced.original.chat.account), [replace(request, event=event)], (), received_at=now
        )
        ids |= dict(zip(result.delivery_ids, (str(one.target) for one in request.deliveries), strict=False))
    left = await _outcomes(journal, ids, wait_s)
    await journal.persons.blank([traced.event.event_seq for traced in found])
    for user in users:
        await journal.persons.unlink_user(user)
        await journal.persons.erase(user, [traced.original for traced in found if traced.original is not None])
        entry = Audited(at=now, actor=AT_COMMAND_LINE, action="forget", subject=str(user), result=f"{len(left)} places left")
        await journal.persons.audit(entry)
    is_scrubbed = await journal.scrub()
    return {**_report(found, Counter(_places(found)), left, users), "scrubbed": is_scrubbed}


async def _outcomes(journal: Journal, ids: dict[int, str], wait_s: float) -> dict[int, tuple[str, str]]:
    """The place and the reason of each deletion that did not succeed."""
    from bridge.journal.contract import DeliveryStatus
    from bridge.model.outcomes import Skip

    fine = {Skip.DELETE_WITHOUT_COPY.value, Skip.COPY_DELETED.value}
    left = {number: (where, "not carried out yet: does the daemon run?") for number, where in ids.items()}
    ends_at_s = asyncio.get_running_loop().time() + wait_s
    while left:
        for number in list(left):
            traced = await journal.trace_delivery(number)
            events = (traced.event, *traced.changes) if traced else ()
            state = next((one for event in events for one in event.deliveries if one.delivery_id == number), None)
            if state is None:
                continue
            if state.state is DeliveryStatus.DELIVERED or (state.state is DeliveryStatus.SKIPPED and state.note in fine):
                del left[number]
            elif state.state in (DeliveryStatus.SKIPPED, DeliveryStatus.DEAD, DeliveryStatus.HELD):
                left[number] = (left[number][0], state.note)
        pending = [why for _, why in left.values() if why.startswith("not carried out")]
        if not pending or asyncio.get_running_loop().time() >= ends_at_s:
            return left
        await asyncio.sleep(_POLL_S)
    return left


def _report(found: list[Traced], copies: Counter[str], left: dict[int, tuple[str, str]], users: list[UserKey]) -> dict[str, Any]:
    reasons = Counter(left.values())
    return {
        "accounts": [str(user) for user in users],
        "messages": len(found),
        "copies": dict(copies),
        "left": [{"where": where, "why": why, "messages": count} for (where, why), count in reasons.items()],
    }


def _show(report: dict[str, Any], *, dry_run: bool) -> None:
    verb = "would be deleted" if dry_run else "deleted"
    say(f"{report['messages']} messages of {', '.join(report['accounts'])} are known")
    if report["copies"]:
        table(("chat", f"copies {verb}"), [(chat, str(count)) for chat, count in report["copies"].items()])
    if report["left"]:
        rows = [(one["where"], str(one["messages"]), one["why"]) for one in report["left"]]
        table(("not erased in", "messages", "why"), rows)
    if not report.get("scrubbed", True):
        say("the journal's file was in use: what was erased is overwritten on disk as the daemon goes on writing")
