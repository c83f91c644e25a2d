"""Finds the ends that a key can be made for, as bridge.yaml names them. Used by `keys` and `hooks enable`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.exits import EX_USAGE
from bridge.cli.output import fail

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.model.refs import ChatAddress
    from bridge.model.web_mount import KeyDirection


def chats_of(config: Config, route_name: str, *, to_post: bool = False) -> list[ChatAddress]:
    """The ends of a route that keys can be made for, in the order of the file. `to_post`: only those that the route relays from."""
    from adapters import registry

    (route,) = [route for route in config.routes if route.name == route_name]
    ends = [end for end in route.ends if end.sends or not to_post]
    taking = [end.chat for end in ends if registry.load_manifest(config.accounts[end.chat.account].platform).takes_keys]
    return list(dict.fromkeys(taking))


def find_chat(config: Config, where: str, *, json: bool, or_all: bool = False) -> ChatAddress:
    """The end named `hooks/alerts`, or the only such end of a route; with `or_all` also all ends of an account, `hooks/*`. Ends the
    command if there is none, or several."""
    from adapters import registry
    from bridge.model.refs import AccountName, ChatAddress
    from bridge.model.web_mount import EVERY_CHAT

    if where in {route.name for route in config.routes}:
        found = chats_of(config, where)
        if len(found) != 1:
            names = ", ".join(map(str, found)) or "none"
            fail(
                f"route {where!r} does not have exactly one end that takes keys (it has: {names}); name an end", EX_USAGE, json=json
            )
        return found[0]
    account, _, chat = where.partition("/")
    taking = [name for name, one in config.accounts.items() if registry.load_manifest(one.platform).takes_keys]
    if account not in taking or not chat:
        what = f"accounts that take keys: {', '.join(sorted(taking))}" if taking else "no account takes keys"
        fail(f"{where!r} is neither ACCOUNT/END nor a route: {what}", EX_USAGE, json=json)
    if or_all and chat == EVERY_CHAT:
        return ChatAddress(AccountName(account), chat)
    why = registry.load_platform(config.accounts[AccountName(account)].platform).check_address(chat)
    if why is not None:
        fail(f"{where!r}: {why}", EX_USAGE, json=json)
    return ChatAddress(AccountName(account), chat)


def is_routed(config: Config, chat: ChatAddress, direction: KeyDirection) -> bool:
    """Whether a route relays from the chat (for keys that post), into it (for keys that read), or either (for both)."""
    from bridge.model.web_mount import EVERY_CHAT, KeyDirection

    every = [end for route in config.routes for end in route.ends if end.chat.account == chat.account]
    ends = [end for end in every if chat.address in (EVERY_CHAT, end.chat.address)]
    if direction is KeyDirection.API:
        return bool(ends)
    return any(end.sends if direction is KeyDirection.IN else end.receives for end in ends)
