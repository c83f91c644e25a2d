"""`messenger-bridge retry-now`: ends waits for the next attempt, rate limits of the platform included.

Writes the request into the journal, where a running daemon finds it within seconds; without a daemon it applies at the next
start."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from bridge.cli import completing
from bridge.cli.exits import EX_FAILED, EX_USAGE
from bridge.cli.journal import JournalPath, with_journal
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json, load
from bridge.cli.output import as_json, fail

if TYPE_CHECKING:
    from bridge.journal.contract import AddressStore, DeliveryStore, WaitStore
    from bridge.model.refs import AccountName, ChatAddress

    class _Store(AddressStore, DeliveryStore, WaitStore, Protocol):
        pass


Where = Annotated[
    str,
    typer.Argument(
        metavar="ACCOUNT[/CHAT]",
        help="An account, or one of its chats, as bridge.yaml or /health names it.",
        show_default=False,
        autocompletion=completing.places,
    ),
]


def retry_now(where: Where, config: ConfigPath = DEFAULT_CONFIG, journal: JournalPath = None, json: Json = False) -> None:
    """Try waiting deliveries of a chat or an account now. An account that is down connects at once."""
    from bridge.model.refs import AccountName

    account, _, chat = where.partition("/")
    if not account or where.endswith("/"):
        fail(f"{where!r} is neither ACCOUNT nor ACCOUNT/CHAT", EX_USAGE, json=json)
    loaded = load(config, without_secrets=True).config
    if loaded is not None and account not in loaded.accounts:
        fail(loaded.why_no_account(account), EX_USAGE, json=json)
    name = AccountName(account)
    lanes, count = with_journal(config, journal, lambda opened: _wish(opened, name, chat), json=json)
    found = bool(lanes) or not chat
    if json:
        as_json({"ok": found, "chats": [str(lane) for lane in lanes], "deliveries": count})
    elif lanes:
        typer.echo(f"tried now: {count} in {len(lanes)} chat{'s' * (len(lanes) != 1)}")
    else:
        typer.echo(f"nothing waits for {where}" + ("" if chat else "; the account connects at once if it is down"))
    if not found:
        raise typer.Exit(EX_FAILED)


async def _wish(journal: _Store, account: AccountName, chat: str) -> tuple[list[ChatAddress], int]:
    """The chats with waiting deliveries, and the number of these."""
    from bridge.delivery.throttle import ACCOUNT_WAIT, CHAT_WAIT

    native_ids = await journal.native_ids(account)
    waiting = [lane for lane in await journal.open_lanes() if lane.account == account]
    # a thread is part of its chat
    chats = {chat, chat.rpartition("/")[0]}
    lanes = [lane for lane in waiting if not chat or chats & {lane.address, native_ids.get(lane.address, lane.address)}]
    if chat and not lanes:
        return [], 0
    waits = [f"{ACCOUNT_WAIT}:{account}", *(f"{CHAT_WAIT}:{lane}" for lane in lanes)]
    count = await journal.hurry(account, lanes, waits, everything=not chat, at=datetime.now(UTC))
    return lanes, count
