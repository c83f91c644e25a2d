"""Builds the public listener of one bridge, with its keys. Called by `app`, the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from bridge.accounts.state import AccountState
from bridge.files.faces import Faces
from bridge.files.links import FileLinks, kept_seal
from bridge.files.on_demand import OnDemand
from bridge.journal.contract import NoteStore
from bridge.model.clock import SystemClock, boot_s
from bridge.web.arrivals import Replays
from bridge.web.client_address import Proxies
from bridge.web.invited import InvitedPages, InvitedStore
from bridge.web.keyed import KeyCounts, KeyedCalls, KeyedStore
from bridge.web.media import MediaPages, OriginalStore
from bridge.web.public import PublicWeb

if TYPE_CHECKING:
    from bridge.accounts.supervisor import AccountSupervisor
    from bridge.config.model import Config
    from bridge.files.spool import Spool
    from bridge.model.clock import Clock
    from bridge.model.platform import Platform
    from bridge.model.refs import AccountName, ChatAddress, ChatRef
    from bridge.model.web_mount import KeyHandler


class PublicStore(KeyedStore, InvitedStore, Protocol):
    pass


def public_web(
    store: PublicStore,
    clock: Clock,
    counts: KeyCounts,
    supervisors: Mapping[AccountName, AccountSupervisor],
    *,
    config: Callable[[], Config],
    manifests: Callable[[str], Platform],
) -> PublicWeb:
    """`config` is called for every request, since a reload changes its result."""

    def is_up(account: AccountName) -> bool:
        supervisor = supervisors.get(account)
        return supervisor is not None and supervisor.health.state is AccountState.UP

    def is_missing() -> bool:
        """Whether an account that its platform calls is not connected."""
        called = (one for one in config().accounts.values() if manifests(one.platform).needs_public_web(one.options) is not None)
        return not all(is_up(one.name) for one in called)

    steady_s = boot_s if isinstance(clock, SystemClock) else None

    def keyed(public: PublicWeb) -> KeyedCalls:
        def handler_of(account: AccountName) -> KeyHandler | None:
            return public.key_handler(account) if is_up(account) else None

        return KeyedCalls(store, clock, counts, handler_of=handler_of, steady_s=steady_s)

    def leads_to(chat: ChatAddress) -> list[str]:
        """The targets of messages from there, for people."""
        routes = [route for route in config().routes if any(end.chat == chat and end.sends for end in route.ends)]
        return list(dict.fromkeys(str(end) for route in routes for end in route.ends if end.receives and end.chat != chat))

    web = config().web
    public = PublicWeb(
        web.public_url,
        keyed=keyed,
        proxies=Proxies(web.trusted_proxies, web.forwarded),
        is_missing=is_missing,
    )
    public.replays = Replays(store, clock, public)
    public.pages = InvitedPages(store, clock, public, leads_to=leads_to, steady_s=steady_s)
    return public


class MediaStore(NoteStore, OriginalStore, Protocol):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What stands behind links to files."""

    links: FileLinks
    files: OnDemand
    faces: Faces
    pages: MediaPages

    async def close(self) -> None:
        await self.faces.close()
        await self.files.close()


_LINKED_PART = 0.5
"""How much of the spool files that are asked for by links may have in use, so that deliveries go on."""


async def media(
    store: MediaStore,
    clock: Clock,
    spool: Spool,
    supervisors: Mapping[AccountName, AccountSupervisor],
    *,
    config: Callable[[], Config],
    is_relayed: Callable[[ChatRef], bool],
    forgotten: Callable[[], Mapping[tuple[AccountName, str], datetime]],
) -> Media | None:
    """None where nobody outside reaches the bridge. Raises JournalError."""
    started_with = config()
    if not started_with.web.public_url:
        return None

    def days() -> float:
        now = config().media
        return now.link_days if now.links else 0.0

    most_bytes = int(started_with.media.spool_mb * 1_000_000 * _LINKED_PART)
    seal, url = await kept_seal(store), started_with.web.public_url
    links = FileLinks(seal, url, clock, days=days, most_bytes=most_bytes)
    files = OnDemand(spool, supervisors.get, clock, most_bytes=most_bytes)
    faces = Faces(seal, url, clock, supervisors.get, files, are_on=lambda: config().media.avatars, forgotten=forgotten)
    pages = MediaPages(links, files, store, clock, is_relayed=is_relayed, faces=faces)
    return Media(links=links, files=files, faces=faces, pages=pages)
