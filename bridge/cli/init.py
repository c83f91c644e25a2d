"""`messenger-bridge init`: asks for the accounts and the chats of a first route, and writes bridge.yaml."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.exits import EX_FAILED, EX_USAGE
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath
from bridge.cli.output import fail, say
from bridge.model.one_line import one_line

if TYPE_CHECKING:
    from bridge.cli.drafting import AccountDraft
    from bridge.model.platform import Platform

_PROBE_S = 30.0
_MOST_SHOWN = 60
_LISTEN_S = 60.0

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="An option that is not asked for, as bridge.yaml has it: tg.proxy=http://...", metavar="ACCOUNT.KEY=VALUE"
    ),
]


def init(config: ConfigPath = DEFAULT_CONFIG, settings: Settings = None) -> None:
    """Make a first bridge.yaml: asks for each messenger, tests its token at once, and lists the chats that the bot can see.

    An existing file is never touched. Tokens go into files of their own, beside it."""
    from bridge.cli.drafting import DraftFailed, parse_settings, write

    if config.exists():
        fail(f"{config} is there already: name another file with --config, or edit that one", EX_USAGE)
    try:
        given = parse_settings(settings or ())
    except ValueError as error:
        fail(str(error), EX_USAGE)
    chosen = _accounts(given)
    accounts, ends = [account for account, _ in chosen], [end for _, end in chosen if end]
    name = _route_name() if len(ends) > 1 else ""
    try:
        written = write(config, accounts, name, ends)
    except DraftFailed as error:
        fail(str(error), EX_FAILED)
    for path in written:
        say(f"written: {path}")
    if len(ends) < 2:
        say("There is no route yet: add one under routes:, when you know two chats (messenger-bridge chats ACCOUNT --listen 60).")
    say("Next: messenger-bridge check --online, then messenger-bridge run, and in another terminal messenger-bridge test ROUTE.")


def _route_name() -> str:
    from bridge.config.routes import name_problem

    while True:
        name: str = typer.prompt("Name of the route that joins these chats", default="lobby").strip()
        problem = name_problem(name)
        if not problem:
            return name
        say(f"{name!r}: {problem}")


def _accounts(given: dict[str, dict[str, Any]]) -> list[tuple[AccountDraft, str]]:
    """Each with the chat that is to be an end of the route, if there is one."""
    from adapters import registry
    from bridge.config.faults import did_you_mean

    # ends of webhooks are written by hand: each is another program
    platforms = [name for name in registry.platforms() if not registry.load_manifest(name).takes_keys]
    accounts: list[tuple[AccountDraft, str]] = []
    while True:
        left = " (empty: no more)" if accounts else ""
        platform = typer.prompt(f"Messenger: {', '.join(platforms)}{left}", default="" if accounts else None, show_default=False)
        if not platform and accounts:
            return accounts
        if platform not in platforms:
            say(f"{platform!r} is none of them; {did_you_mean(platform, platforms)}")
            continue
        account = _account(registry.load_platform(platform), [one.name for one, _ in accounts], given)
        accounts.append((account, _choose_chat(account)))


def _account(platform: Platform, taken: list[str], given: dict[str, dict[str, Any]]) -> AccountDraft:
    """One account whose token works, or of which the admin says that it shall stay as it is."""
    from bridge.cli.drafting import AccountDraft
    from bridge.cli.shipped import as_typed, first_page
    from bridge.config.accounts import name_problem

    while True:
        name = typer.prompt("Name of the account in bridge.yaml", default=platform.name).strip()
        problem = f"there is an account {name} already" if name in taken else name_problem(name)
        if not problem:
            break
        say(problem)
    page = first_page(platform.manifest)
    if page is not None:
        say(f"How to make the bot, click by click: {as_typed(page)}")
    while True:
        account = AccountDraft(name, platform, dict(given.get(name, {})))
        _ask_options(account)
        if _works(account) or not typer.confirm("Enter it again?", default=True):
            return account


def _ask_options(account: AccountDraft) -> None:
    """Until the options are complete and valid."""
    while (wanted := account.next_question()) is not None:
        if wanted.problem:
            say(f"{wanted.key}: {wanted.problem}")
        hidden = wanted.is_secret and sys.stdin.isatty()
        shown = f"{account.name}.{wanted.key}" + (f" ({wanted.description})" if wanted.description else "")
        account.answer(wanted.key, typer.prompt(shown, hide_input=hidden).strip())


def _works(account: AccountDraft) -> bool:
    """Asks the platform, and shows what it says."""
    from bridge.cli.probing import probe_all

    account.platform.preload()  # before the loop starts: imports block it
    findings = asyncio.run(probe_all(account.config(), lambda _: account.platform, timeout_s=_PROBE_S))
    for found in findings:
        if not found.ok or found.detail:
            say(f"  {'ok' if found.ok else 'FAILED'}  {found.name}: {one_line(found.detail)}")
        if found.action and not found.ok:
            say(f"      -> {one_line(found.action)}")
    return all(found.ok for found in findings)


def _choose_chat(account: AccountDraft) -> str:
    """An end of the route, or nothing."""
    from bridge.cli.finding_chats import find_chats

    configured = account.account_config()
    found = asyncio.run(find_chats(configured, account.platform))
    if not found.can_list:
        title = account.platform.title
        say(f"{title}'s bots cannot list their chats. Write something in the chat that is to be bridged, then press Enter;")
        written = typer.prompt("or give its id, or a link to it", default="", show_default=False)
        if written:
            return _end(account, written)
        found = asyncio.run(find_chats(configured, account.platform, listen_s=_LISTEN_S, enough=1))
    if found.why:
        say(f"chats of {account.name}: {found.why}")
    for number, chat in enumerate(found.chats[:_MOST_SHOWN], 1):
        note = f" - {one_line(chat.note)}" if chat.note else ""
        say(f"  {number}  {one_line(chat.address)}  {one_line(chat.name)}{note}")
    if len(found.chats) > _MOST_SHOWN:
        say(f"  and {len(found.chats) - _MOST_SHOWN} more: messenger-bridge chats {account.name}")
    written = typer.prompt(f"Chat of {account.name}: a number, an id, or a link (empty: none)", default="", show_default=False)
    if written.isdecimal() and 1 <= int(written) <= len(found.chats):
        return f"{account.name}/{found.chats[int(written) - 1].address}"
    return _end(account, written)


def _end(account: AccountDraft, written: str) -> str:
    """Of an address or a link; asks again until it is one."""
    while written:
        address = account.address_of(written)
        if not isinstance(address, Exception):
            return f"{account.name}/{address}"
        say(str(address))
        written = typer.prompt(f"Chat of {account.name} (empty: none)", default="", show_default=False)
    return ""
