"""Reconciling: whether a message of unknown outcome was posted. The channel is read back and searched for our own message.

Called by `adapter` before such a message is sent again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from adapters.common.platform_time import PlatformTime
from adapters.discord import wire
from adapters.discord.errors import Refused
from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.inbound.history import PAGE, History
from adapters.discord.lenient import UNREADABLE
from adapters.discord.outbound import bodies, encode
from adapters.discord.outbound.message_header import Headers
from adapters.discord.outbound.posted_as import Poster
from adapters.discord.outbound.sent_messages import SentMessages
from adapters.discord.snowflakes import snowflake_at
from bridge.model.adapter import Intake, Outbound, Receipt
from bridge.model.errors import RetryLater

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

RECONCILE_PAGES = 20
KNOWN_IDS = 1000
"""How many of a chat's messages the journal is asked for, to exclude them from the search."""
FURTHEST_BACK = timedelta(days=14)
"""Where to begin looking for a message that an earlier process sent at an impossible time."""


class Reconciliation:
    def __init__(
        self,
        options: DiscordOptions,
        identity: Identity,
        guilds: GuildCache,
        history: History,
        headers: Headers,
        sent: SentMessages,
        time: PlatformTime,
    ) -> None:
        self._options = options
        self._identity = identity
        self._guilds = guilds
        self._history = history
        self._headers = headers
        self._sent = sent
        self._time = time
        self._intake: Intake | None = None

    def begin(self, intake: Intake) -> None:
        self._intake = intake

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        """Reads back what was posted since and looks for our own message with this text, name and files. Where the bot may not read
        history Discord shows an empty one, so there is nothing to go by."""
        if not self._guilds.may_read_history(outbound.chat_id, self._identity.user_id):
            if self._intake is not None:
                reason, action = "sends of unknown outcome cannot be checked", "give the bot Read Message History"
                self._intake.notice(reason, action, chat_id=outbound.chat_id)
            return None
        latest = [] if self._intake is None else await self._intake.message_ids(outbound.chat_id, KNOWN_IDS)
        after = self._begin_of(outbound.token, sent_after, latest)
        try:
            return await self._look_for(outbound, after, self._sent.ids_and(latest))
        except Refused as refused:
            raise RetryLater(f"cannot be read back: {refused}") from None
        except UNREADABLE as error:
            raise RetryLater(f"history is not as expected: {type(error).__name__}") from None

    async def _look_for(self, outbound: Outbound, after: int, not_ids: frozenset[str]) -> Receipt | None:
        for name, body in await self._possible_forms(outbound):
            found = await self._find(
                outbound.thread_id or outbound.chat_id,
                after,
                name=name,
                content=str(body.get("content", "")),
                sizes=[file.size_bytes for file in outbound.files],
                not_ids=not_ids,
            )
            if found is not None:
                message_id, webhook_id = found
                posted_as = str(Poster(webhook_id or ""))
                receipt = Receipt(message_ids=(message_id,), thread_id=outbound.thread_id, adapter_data=posted_as)
                self._sent.found(message_id)
                return receipt
        return None

    async def _possible_forms(self, outbound: Outbound) -> list[tuple[str | None, bodies.MessageBody]]:
        """How a message may have been posted: through the webhook under a name, or by the bot (no name)."""
        forms: list[tuple[str | None, bodies.MessageBody]] = []
        if outbound.sender is not None and self._options.post_as == "webhook":
            header = await self._headers.of(outbound.chat_id, outbound)
            forms.append((encode.webhook_name(outbound.sender.name), encode.webhook_message(outbound, header)))
        header = await self._headers.of(outbound.chat_id, outbound, as_bot=True)
        forms.append((None, encode.bot_message(outbound, header)))
        return forms

    def _begin_of(self, token: str, sent_after: datetime, latest: Sequence[str]) -> int:
        """The id behind which a message can be that was first tried then, told by Discord's clock where this process tried it.

        Of an earlier process only a reading of this machine's clock is left, which may have been set since: then the search goes
        back further, but not beyond what the journal can tell apart."""
        since = self._sent.since(token, sent_after) or self._time.now() - FURTHEST_BACK
        oldest_known = min((int(i) for i in latest if i.isdecimal()), default=0) if len(latest) >= KNOWN_IDS else 0
        return max(int(snowflake_at(since)), oldest_known)

    async def _find(
        self,
        channel_id: str,
        after: int,
        *,
        name: str | None,
        content: str,
        sizes: Sequence[int],
        not_ids: frozenset[str],
    ) -> tuple[str, str | None] | None:
        """Our own message with that text and those files, with an id above `after`: its id and that of the webhook that posted it;
        the oldest, if there are several. None if there is no such message.

        `name` is the name a webhook showed, None for messages of the bot; `not_ids` are messages known to be others. Discord trims
        texts, may strip characters, and renames files: texts are compared by what is visible of them, files by their sizes, and
        by their number where a size is not known (0). Read from the newest back, so that an early `after` costs pages and finds
        the message all the same.
        """
        wanted = (_comparable(content), sorted(sizes))
        found: wire.Message | None = None
        query: dict[str, str] = {}
        for _ in range(RECONCILE_PAGES):
            page = await self._history.page(channel_id, **query)
            new = [message for message in page if int(message["id"]) > after]
            fitting = (m for m in new if str(m["id"]) not in not_ids and self._is_own(m, name) and _fits(m, wanted))
            found = next(fitting, found)
            if len(page) < PAGE or len(new) < len(page):
                break
            query = {"before": str(page[0]["id"])}
        if found is None:
            return None
        webhook_id = found.get("webhook_id")
        return str(found["id"]), None if webhook_id is None else str(webhook_id)

    def _is_own(self, message: wire.Message, name: str | None) -> bool:
        if not self._identity.wrote(message):
            return False
        if message.get("webhook_id") is None:
            return name is None
        return name is not None and str(message["author"]["username"]) == name


def _fits(message: wire.Message, wanted: tuple[str, list[int]]) -> bool:
    content, sizes = wanted
    there = sorted(int(file["size"]) for file in message.get("attachments") or ())
    are_files = there == sizes if all(sizes) else len(there) == len(sizes)
    return are_files and _comparable(str(message.get("content") or "")) == content


def _comparable(text: str) -> str:
    """Without white space and invisible characters, composed."""
    return "".join(c for c in unicodedata.normalize("NFC", text) if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf"))
