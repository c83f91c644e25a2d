"""One ntfy account. A topic is a chat: each has a stream of its own, and the id of its last message as cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import msgspec

from adapters.common.following import follow_chats
from adapters.common.http_client import HttpClient, login_headers
from adapters.common.http_errors import Effect
from adapters.common.lenient import record, words
from adapters.common.own_messages import OwnMessages
from adapters.common.platform_time import steady_s
from adapters.common.probing import asked
from bridge.model.adapter import Cursor, FileStream, Intake, Outbound, ProbeItem, Receipt
from bridge.model.capabilities import Feature
from bridge.model.errors import ConnectionLost, DeliveryError, OutcomeUnknown
from bridge.model.events import Attachment, ChatEvent, Ignored, MessageCreated
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import RichText, text_of
from messenger_bridge_ntfy.capabilities import capabilities
from messenger_bridge_ntfy.config import NtfyOptions
from messenger_bridge_ntfy.decode import Undecodable, decode, edit_of, parse
from messenger_bridge_ntfy.encode import headers_of
from messenger_bridge_ntfy.errors import refusal

_SILENCE_S = 150.0  # the server sends a keepalive every 45 s by default


class NtfyAdapter:
    def __init__(self, context: AdapterContext) -> None:
        self.account = context.account
        self.capabilities = capabilities(context.options)
        self._alive = context.alive
        self._clock = context.clock
        options: NtfyOptions = context.options
        login = login_headers(options.token, options.username, options.password)
        self._client = HttpClient(options, options.server, login=login, refusal=refusal)
        self._own = OwnMessages()
        self._made_s = steady_s()
        self._since_s: dict[str, float] = {}

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return len(text_of(text).encode())

    async def resolve(self, address: str) -> str:
        return address

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        account = await asked("account", self._client.ask("GET", "v1/account", doing="account"))
        return [account, *[item for chat_id in chat_ids for item in await self.look_at(chat_id)]]

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        """Check whether the topic may be read. Only a message would show whether it may be written."""
        question = self._client.ask("GET", f"{chat_id}/auth", doing="read the topic")
        return [await asked(f"topic {chat_id}", question, chat_id=chat_id)]

    async def close(self) -> None:
        await self._client.close()

    async def send(self, outbound: Outbound) -> Receipt:
        """The token is the message's sequence_id, which the stream returns: it shows after an unknown outcome what arrived."""
        topic, headers = outbound.chat_id, headers_of(outbound)
        body = outbound.files[0] if outbound.files else text_of(outbound.text).encode()
        self._own.sent(topic, outbound.token)
        with self._own.sending(topic):
            told = await self._client.ask("PUT", topic, doing="publish", effect=Effect.CREATES, headers=headers, body=body)
            answer = record(told)
            if not (message_id := words(answer.get("id"))):
                raise OutcomeUnknown("publish: the answer does not say which message it became")
            self._own.sent(topic, message_id)
        if "sequence_id" not in answer:  # a server before ntfy 2.16
            able = {each: level for each, level in self.capabilities.features.items() if each is not Feature.RECONCILE}
            self.capabilities = msgspec.structs.replace(self.capabilities, features=able)
        return Receipt(message_ids=(message_id,))

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        path = f"{outbound.chat_id}/json?poll=1&since=all"
        async with self._client.lines(path, doing="look for a message", silence_s=_SILENCE_S) as kept:
            async for lines in kept:
                for line in lines:
                    if outbound.token.encode() in line and (wire := parse(line)).get("sequence_id") == outbound.token:
                        return Receipt(message_ids=(wire["id"],))
        return None

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._client.download(attachment.file_id, attachment.size_bytes, doing="download")

    async def run(self, intake: Intake) -> None:
        try:
            account = await self._client.ask("GET", "v1/account", doing="account")
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from None
        await intake.set_own_names([words(record(account).get("username")).replace("*", "") or "ntfy"])

        # what was said since the account was made is relayed, and in topics that are routed later what is said from then on
        self._since_s = self._since_s or dict.fromkeys(intake.routed_chats(), self._made_s)

        async def follow(topic: str, heard: Callable[[], None]) -> None:
            waited_s = 1 + int(steady_s() - self._since_s.setdefault(topic, steady_s()))
            path = f"{topic}/json?since={await intake.cursor(topic) or f'{waited_s}s'}"
            async with self._client.lines(path, doing=f"topic {topic}", silence_s=_SILENCE_S) as stream:
                async for lines in stream:
                    self._alive()
                    await self._take(topic, lines, intake)
                    heard()

        await follow_chats(intake, self.account, follow, self._clock)

    async def _take(self, topic: str, lines: Sequence[bytes], intake: Intake) -> None:
        """Accept the events that arrived together, as one batch."""
        events: dict[str, ChatEvent] = {}
        cursors: list[Cursor] = []
        for line in lines:
            try:
                wire = parse(line)
            except Undecodable as error:
                await intake.accept(list(events.values()), cursors=cursors)
                events = {}
                await intake.undecodable(line, str(error))
                continue
            if wire["event"] == "open" and await intake.cursor(topic) is None:
                cursors = [Cursor(name=topic, value=str(wire["time"]))]
            if wire["event"] in ("open", "keepalive"):
                continue
            if "sequence_id" not in wire:
                await self._own.settled(topic)
            cursors = [Cursor(name=topic, value=wire["id"])]
            is_own = any(self._own.is_own("", topic, each) for each in (wire["id"], wire.get("sequence_id", "")))
            event = decode(wire, self.account, is_own=is_own, now=self._clock.now())
            if isinstance(event, Ignored):
                intake.ignored(event.reason)
                continue
            key = event.meta.event_key
            if isinstance(event, MessageCreated) and event.message_id != wire["id"]:
                event = edit_of(event, wire["id"]) if key in events or await intake.is_known(key) else event
            events[event.meta.event_key] = event
        if events or cursors:
            await intake.accept(list(events.values()), cursors=cursors)


def build(context: AdapterContext) -> NtfyAdapter:
    return NtfyAdapter(context)
