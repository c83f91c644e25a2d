"""Rewrites links to messages: if the linked message has a copy in the target's chat, the link leads to that copy. Other links stay.

A new link always leads to the chat that the message is sent into, so it never reveals another chat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import msgspec

from bridge.accounts.supervisor import AccountSupervisor
from bridge.delivery.copies import copy_here, copy_nearby
from bridge.delivery.target import ResolvedTarget
from bridge.journal.contract import LinkStore
from bridge.model.abilities import KnowsChatNames, LinksToMessages
from bridge.model.errors import RetryLater
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.pauses import beside_if
from bridge.model.platform import LinkedMessage
from bridge.model.refs import AccountName, ChatRef, MessageRef
from bridge.model.rich_text import is_long
from bridge.policy.routing import RoutingTable
from bridge.render.message_links import addresses_in, with_addresses

MOST_CHATS = 100
"""The most chats of an account in which a message is looked for if its link names no chat."""


class LinkReader(NamedTuple):
    """The link reader of one account: `read` parses links of its platform, `chat_named` resolves the names of chats in them."""

    account: AccountName
    read: Callable[[str], LinkedMessage | None]
    chat_named: Callable[[str], str]


class MessageLinks:
    """`readers` returns the link reader of each account; `table` the current routing table."""

    def __init__(self, journal: LinkStore, readers: Callable[[], Iterable[LinkReader]], table: Callable[[], RoutingTable]) -> None:
        self._journal = journal
        self._readers = readers
        self._table = table

    async def followed(self, event: MessageCreated | MessageEdited, target: ResolvedTarget) -> MessageCreated | MessageEdited:
        """The message with links into the target's chat. Raises JournalError."""
        adapter, text = target.adapter, event.content.text
        is_heavy = is_long(text)
        addresses = await beside_if(is_heavy, partial(addresses_in, text))
        if not addresses or not isinstance(adapter, LinksToMessages):  # most messages have none; asking for an ability is slow
            return event
        new: dict[str, str] = {}
        for address in addresses:
            there = await self._there(address, target, adapter)
            if there and there != address:
                new[address] = there
        if not new:
            return event
        text = await beside_if(is_heavy, partial(with_addresses, text, new))
        return msgspec.structs.replace(event, content=msgspec.structs.replace(event.content, text=text))

    async def _there(self, address: str, target: ResolvedTarget, adapter: LinksToMessages) -> str:
        """The link to the message's copy in the target's chat; empty if there is none, or the link leads into that chat already."""
        for reader in self._readers():
            linked = reader.read(address)
            if linked is None or not linked.is_exact:
                continue
            for chat in self._chats(reader, linked):
                if chat == target.chat:
                    return ""
                link = await self._journal.link(MessageRef(chat, linked.message_id), target.end.chat, target.end.thread_id)
                copy = copy_here(link, target) or copy_nearby(link)
                if copy is not None and copy.chat_id == target.chat.chat_id and copy.message_ids:
                    return adapter.message_link(copy)
                if link is not None:
                    return ""  # the message is known, and has no copy there
        return ""

    def _chats(self, reader: LinkReader, linked: LinkedMessage) -> Iterator[ChatRef]:
        """Where the message may be, each once: the chat that the link names, by its id, its name on the platform or an address of
        bridge.yaml; and where a message's id is enough, all chats of the account."""
        table = self._table()
        addresses = table.addresses(reader.account)
        named = [native for one in addresses if one.address.lower() == linked.chat.lower() and (native := table.native_id(one))]
        if linked.is_unique:
            named += [native for one in addresses[:MOST_CHATS] if (native := table.native_id(one))]
        for chat_id in dict.fromkeys([linked.chat, reader.chat_named(linked.chat), *named]):
            if chat_id:
                yield ChatRef(reader.account, chat_id)


def chat_named(supervisor: AccountSupervisor | None, name: str) -> str:
    """The native id of the chat with that name; empty if unknown, or if the account is not up yet."""
    try:
        adapter = supervisor.adapter if supervisor is not None else None
    except RetryLater:
        return ""
    return adapter.chat_named(name) if isinstance(adapter, KnowsChatNames) and name else ""
