"""`messenger-bridge chats ACCOUNT...`: the chats that a bot can see, as bridge.yaml writes them; of several accounts those with the
same names. Sends nothing, confirms nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bridge.cli import completing
from bridge.cli.exits import EX_FAILED, EX_TEMPFAIL, EX_USAGE
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json, account_or_exit, load_or_exit, need_secrets
from bridge.cli.output import as_json, fail, say, table

if TYPE_CHECKING:
    from bridge.cli.finding_chats import FoundChats
    from bridge.config.model import AccountConfig, Config

_CANNOT_LIST = "this platform's bots cannot list their chats"


def chats(
    accounts: Annotated[
        list[str],
        typer.Argument(
            metavar="ACCOUNT...", help="An account, or several.", show_default=False, autocompletion=completing.accounts
        ),
    ],
    listen_s: Annotated[
        float,
        typer.Option(
            "--listen", min=0, max=3600, help="Seconds to listen: write something in the chat meanwhile.", metavar="SECONDS"
        ),
    ] = 0.0,
    config: ConfigPath = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """List the chats that an account can see, with what bridge.yaml has to say. Telegram's bots cannot list theirs: --listen.
    Of several accounts: the chats with the same names, and a route for each of them."""
    loaded = load_or_exit(config, json=json, secrets=True)
    configured = [account_or_exit(loaded, account, json=json) for account in dict.fromkeys(accounts)]
    for one in configured:
        need_secrets(one, json=json)
    if len(configured) > 1:
        if listen_s:
            fail("--listen is for one account", EX_USAGE, json=json)
        _show_same_names({one.name: _found(loaded, one, 0.0) for one in configured}, json=json)
    _show_one(loaded, configured[0], listen_s, json=json)


def _show_one(loaded: Config, configured: AccountConfig, listen_s: float, *, json: bool) -> NoReturn:
    account = configured.name
    if listen_s and not json:
        say(f"listening for {listen_s:g} s: write something in the chat (the daemon must not run with this account) ...")
    found = _found(loaded, configured, listen_s)
    if json:
        as_json(found.data())
    else:
        show(account, found, listened=bool(listen_s))
    raise typer.Exit(0 if not found.why else EX_TEMPFAIL if found.is_temporary else EX_FAILED)


def _show_same_names(found: Mapping[str, FoundChats], *, json: bool) -> NoReturn:
    from bridge.cli.same_names import same_names

    faults = {account: one.why or ("" if one.can_list else _CANNOT_LIST) for account, one in found.items()}
    faults = {account: why for account, why in faults.items() if why}
    same = same_names({} if faults else {account: one.chats for account, one in found.items()})
    if json:
        as_json({"ok": not faults, "names": same.names, "ends": same.ends, "notes": same.notes, "errors": faults})
    elif same.names:
        typer.echo(same.route(), nl=False)
        for name, note in same.notes.items():
            say(f"{name}: {note}")
    elif not faults:
        say("no name of a chat is at each of these accounts, and there only once")
    if not json:
        for account, why in faults.items():
            say(f"error: {account}: {why}")
    is_temporary = faults and all(found[account].is_temporary for account in faults)
    raise typer.Exit(EX_TEMPFAIL if is_temporary else EX_FAILED if faults or not same.names else 0)


def _found(config: Config, account: AccountConfig, listen_s: float) -> FoundChats:
    from adapters import registry
    from bridge.cli.finding_chats import find_chats

    platform = registry.load_platform(account.platform)
    platform.preload()  # before the loop starts: imports block it
    return asyncio.run(find_chats(account, platform, listen_s=listen_s, public_url=config.web.public_url))


def show(account: str, found: FoundChats, *, listened: bool) -> None:
    """The list on stdout, what went wrong on stderr."""
    if found.chats:
        table(("chat", "name", "note"), [(f"{account}/{chat.address}", chat.name, chat.note) for chat in found.chats])
    elif not found.why:
        typer.echo("nobody wrote anywhere where the bot could read it" if listened else "the bot sees no chats")
    if found.why:
        say(f"error: {found.why}")
    if not found.can_list and not listened:
        say(f"{_CANNOT_LIST}: messenger-bridge chats {account} --listen 60, and write something there")
