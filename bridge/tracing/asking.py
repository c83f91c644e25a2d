"""How somebody names a message: by a link, by `account/chat#id`. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.config.model import Config
from bridge.model.platform import Platform
from bridge.model.refs import AccountName

_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Asked:
    """A message as somebody named it. `chat` is a native id, an address, or empty."""

    account: AccountName
    chat: str
    message_id: str
    is_unique: bool = False
    """Whether the id alone is enough on that platform."""


def is_words(what: str) -> bool:
    """Whether it names no message, so that it can only be words of one."""
    account, slash, rest = what.partition("/")
    has_id = bool(slash and account and "#" in rest and not any(map(str.isspace, account)))
    return not ("://" in what or has_id or is_number(what))


def is_number(what: str) -> bool:
    """Whether it is one that a delivery can have."""
    return what.isascii() and what.isdecimal() and len(what) <= _LONGEST_NUMBER


def asked_for(what: str, config: Config, manifests: Callable[[str], Platform]) -> list[Asked] | str:
    """The messages that may be meant; or why there are none."""
    if "://" in what:
        return _by_link(what, config, manifests)
    account, slash, rest = what.partition("/")
    chat, hash_sign, message_id = rest.rpartition("#")
    if not slash or not hash_sign or not chat or not message_id:
        return f"{what!r} is neither a link, nor ACCOUNT/CHAT#ID, nor the number of a delivery"
    if account not in config.accounts:
        return config.why_no_account(account)
    return [Asked(AccountName(account), chat, message_id)]


def _by_link(link: str, config: Config, manifests: Callable[[str], Platform]) -> list[Asked] | str:
    found = []
    for name, account in config.accounts.items():
        linked = manifests(account.platform).message_of_link(account.options, link)
        if linked is not None:
            found.append(Asked(name, linked.chat, linked.message_id, linked.is_unique))
    return found or "the link does not lead to a message on a platform or server of an account in bridge.yaml"
