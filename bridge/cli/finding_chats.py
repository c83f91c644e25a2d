"""Finds the chats that an account can see: by asking the platform, or by listening. Called by `chats` and `init`.

Who listens accepts nothing and confirms nothing: what was heard comes again when the daemon runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bridge.cli.listening import MOST_CHATS, listen
from bridge.cli.probing import NoWeb
from bridge.config.model import AccountConfig
from bridge.config.secrets import secrets_of_account
from bridge.model.abilities import ListedChat, ListsChats, NamesChats
from bridge.model.adapter import Adapter
from bridge.model.errors import AccountDown, BridgeError, ConnectionLost, RetryLater
from bridge.model.platform import AdapterContext, Platform
from bridge.policy.redact import Masker

_ASK_S = 60.0
_CLOSE_S = 5.0


@dataclass(slots=True)
class FoundChats:
    """`why`: what went wrong, with what to do; empty if nothing did."""

    chats: list[ListedChat] = field(default_factory=list)
    can_list: bool = True
    why: str = ""
    is_temporary: bool = False

    def data(self) -> dict[str, Any]:
        found = [{"address": chat.address, "name": chat.name, "note": chat.note} for chat in self.chats]
        return {"ok": not self.why, "chats": found, "can_list": self.can_list, "error": self.why}


async def find_chats(
    account: AccountConfig, platform: Platform, *, listen_s: float = 0.0, enough: int = MOST_CHATS, public_url: str = ""
) -> FoundChats:
    """Listening ends after so many seconds, or when `enough` chats were heard. Never raises for what the platform does."""
    found = FoundChats()
    mask = Masker(secrets_of_account(account))
    adapter: Adapter | None = None
    try:
        context = AdapterContext(account=account.name, options=account.options, web=NoWeb(account.name, public_url))
        adapter = platform.build(context)
        found.can_list = isinstance(adapter, ListsChats)
        if isinstance(adapter, ListsChats) and not listen_s:
            async with asyncio.timeout(_ASK_S):
                found.chats = list(await adapter.chats())[:MOST_CHATS]
        elif listen_s:
            found.chats = await _named(adapter, await listen(adapter, listen_s, enough))
    except AccountDown as error:
        found.why = f"{error.reason} - {error.action}"
    except (RetryLater, ConnectionLost, OSError, TimeoutError) as error:
        found.why, found.is_temporary = f"cannot be reached: {error or type(error).__name__}", True
    except BridgeError as error:
        found.why = error.reason
    except Exception as error:
        found.why = f"unexpected {type(error).__name__}: {error}"
    finally:
        if adapter is not None:
            with contextlib.suppress(TimeoutError, OSError, BridgeError):
                async with asyncio.timeout(_CLOSE_S):
                    await adapter.close()
    found.why = mask(found.why)
    return found


async def _named(adapter: Adapter, addresses: Iterable[tuple[str, str | None]]) -> list[ListedChat]:
    listed: dict[str, ListedChat] = {}
    if isinstance(adapter, ListsChats):
        with contextlib.suppress(BridgeError, TimeoutError, OSError):
            async with asyncio.timeout(_ASK_S):
                listed = {chat.address: chat for chat in await adapter.chats()}
    found = []
    for chat_id, thread_id in addresses:
        known = listed.get(chat_id)
        name = known.name if known is not None else ""
        if not name and isinstance(adapter, NamesChats):
            with contextlib.suppress(BridgeError, TimeoutError, OSError):
                async with asyncio.timeout(_ASK_S):
                    name = await adapter.chat_name(chat_id)
        address = chat_id if thread_id is None else f"{chat_id}/{thread_id}"
        found.append(ListedChat(address=address, name=name, note="" if thread_id is None else "a thread or topic of it"))
    return found
