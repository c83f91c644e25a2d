"""`messenger-bridge hooks enable`: enables an end that was switched off; its waiting messages are sent in order.

Works on the journal, beside a running daemon, which reads it within seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from bridge.cli import completing
from bridge.cli.exits import EX_FAILED
from bridge.cli.journal import JournalPath, with_journal
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json, load_or_exit
from bridge.cli.output import as_json, fail

if TYPE_CHECKING:
    from bridge.journal.contract import DeliveryStore, NoteStore, WaitStore
    from bridge.model.refs import ChatAddress

    class _Store(NoteStore, DeliveryStore, WaitStore, Protocol):
        pass


def enable(
    where: Annotated[
        str,
        typer.Argument(
            metavar="ACCOUNT/END",
            help="The end, as bridge.yaml and /health name it.",
            show_default=False,
            autocompletion=completing.places,
        ),
    ],
    config: ConfigPath = DEFAULT_CONFIG,
    journal: JournalPath = None,
    json: Json = False,
) -> None:
    """Enable an end that was switched off by its receiver or after five days of failures. Messages that wait for it are sent."""
    from bridge.cli.key_places import find_chat

    chat = find_chat(load_or_exit(config, json=json), where, json=json)
    was_off, count = with_journal(config, journal, lambda opened: _enable(opened, chat), json=json)
    if not was_off:
        fail(f"{chat} is not switched off", EX_FAILED, json=json)
    if json:
        as_json({"ok": True, "address": str(chat), "deliveries": count})
    else:
        typer.echo(f"{chat} is on again; deliveries that wait for it: {count}")


async def _enable(journal: _Store, chat: ChatAddress) -> tuple[bool, int]:
    """Whether it was off, and the number of deliveries that wait for it."""
    from bridge.journal.account_store import account_note
    from bridge.model.account_store import off_note

    note = account_note(chat.account, off_note(chat.address))
    if not await journal.note(note):
        return False, 0
    await journal.set_note(note, "")
    lanes = [lane for lane in await journal.open_lanes() if lane == chat]
    return True, await journal.hurry(chat.account, lanes, [], everything=False, at=datetime.now(UTC))
