"""`messenger-bridge chats ACCOUNT`: the chats that a bot can see, as bridge.yaml writes them. Sends nothing, confirms nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli import completing
from bridge.cli.exits import EX_FAILED, EX_TEMPFAIL
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json, account_or_exit, load_or_exit, need_secrets
from bridge.cli.output import as_json, say, table

if TYPE_CHECKING:
    from bridge.cli.finding_chats import FoundChats
    from bridge.config.model import AccountConfig, Config


def chats(
    account: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="An account.", show_default=False, autocompletion=completing.accounts)
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
    """List the chats that an account can see, with what bridge.yaml has to say. Telegram's bots cannot list theirs: --listen."""
    loaded = load_or_exit(config, json=json, secrets=True)
    configured = account_or_exit(loaded, account, json=json)
    need_secrets(configured, json=json)
    if listen_s and not json:
        say(f"listening for {listen_s:g} s: write something in the chat (the daemon must not run with this account) ...")
    found = _found(loaded, configured, listen_s)
    if json:
        as_json(found.data())
    else:
        show(account, found, listened=bool(listen_s))
    raise typer.Exit(0 if not found.why else EX_TEMPFAIL if found.is_temporary else EX_FAILED)


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
        say(
            f"this platform's bots cannot list their chats: messenger-bridge chats {account} --listen 60, and write something there"
        )
