"""The control API from another process: the same methods that an `Emulator` has, awaited. Used by fault tests and benchmarks."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from adapters.common.emulation.contract import ChangesLost, EmulatedChat, Fault, SeenChange, SeenMessage, StreamFault, Upload
from adapters.common.emulation.loopback import OWN_HEADER

_T = TypeVar("_T")

_POLL_S = 0.03


class ControlError(Exception):
    """The control API refused a request: `status` and the reason it gave."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


class ControlClient:
    """The client; open it with `async with`. `url` is the control API's, as the emulators' process printed it."""

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self._url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={OWN_HEADER: "1"}, trust_env=False)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def platforms(self) -> dict[str, RemoteEmulator]:
        """The emulators of the other process, by platform name."""
        entries = await self.get("/", list[dict[str, Any]])
        return {entry["platform"]: RemoteEmulator(self, entry["platform"], entry["base_url"]) for entry in entries}

    async def emulator(self, platform: str) -> RemoteEmulator:
        """Raises KeyError if there is none of that name."""
        return (await self.platforms())[platform]

    # -- for RemoteEmulator -------------------------------------------------------------------------------------------------

    async def get(self, path: str, kind: type[_T], **query: str) -> _T:
        async with self._open().get(self._to(path, query), timeout=self._timeout) as response:
            return msgspec.json.decode(await _body(response), type=kind)

    async def get_bytes(self, path: str) -> bytes:
        async with self._open().get(self._to(path), timeout=self._timeout) as response:
            return await _body(response)

    async def post(self, path: str, body: object, files: Sequence[Upload] = ()) -> Any:
        raw = msgspec.json.encode(body)
        if files:
            data: Any = aiohttp.FormData(quote_fields=False, charset="utf-8")
            data.add_field("message", raw.decode(), content_type="application/json")
            for upload in files:
                data.add_field("file", io.BytesIO(upload.content), filename=upload.name, content_type=upload.mime)
            sending = self._open().post(self._to(path), data=data, timeout=self._timeout)
        else:
            headers = {"Content-Type": "application/json"}
            sending = self._open().post(self._to(path), data=raw, headers=headers, timeout=self._timeout)
        async with sending as response:
            return msgspec.json.decode(await _body(response))

    async def events(self, path: str, **query: str) -> AsyncIterator[bytes]:
        """The data of each event `change`. Raises ChangesLost at a `reset`, and ConnectionError when the stream ends."""
        endless = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout.total, sock_read=60.0)
        async with self._open().get(self._to(path, query), timeout=endless) as response:
            if response.status != 200:
                await _body(response)
            buffer = b""
            event = b""
            async for chunk in response.content.iter_any():
                buffer += chunk
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    if line.startswith(b"event: "):
                        event = line
                    elif line.startswith(b"data: {"):
                        data = line[len(b"data: ") :]
                        if event == b"event: reset":
                            raise ChangesLost(msgspec.json.decode(data)["resume_seq"])
                        yield data
        raise ConnectionError("the change stream has ended")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use the client inside `async with`")
        return self._session

    def _to(self, path: str, query: dict[str, str] | None = None) -> URL:
        written = "&".join(f"{name}={quote(value, safe='')}" for name, value in (query or {}).items())
        return URL(f"{self._url}{path}{'?' if written else ''}{written}", encoded=True)


class RemoteEmulator:
    """An emulator in another process; see `adapters.common.emulation.contract.Emulator` for what each method means."""

    def __init__(self, client: ControlClient, platform: str, base_url: str) -> None:
        self._client = client
        self.platform = platform
        self.base_url = base_url

    async def account_options(self) -> dict[str, Any]:
        return await self._client.get(f"/{self.platform}/account_options", dict[str, Any])

    async def add_chat(self, name: str) -> EmulatedChat:
        return msgspec.convert(await self._do("add_chat", name=name), EmulatedChat)

    async def chats(self) -> Sequence[EmulatedChat]:
        for entry in await self._client.get("/", list[dict[str, Any]]):
            if entry["platform"] == self.platform:
                return msgspec.convert(entry["chats"], list[EmulatedChat])
        return ()

    async def add_person(self, name: str) -> str:
        return str(await self._do("add_person", name=name))

    async def say(
        self,
        chat_id: str,
        person: str,
        text: str,
        *,
        reply_to: str = "",
        thread_id: str = "",
        files: Sequence[Upload] = (),
    ) -> str:
        body = {"chat_id": chat_id, "person": person, "text": text, "reply_to": reply_to, "thread_id": thread_id}
        return str(await self._client.post(f"/{self.platform}/say", body, files))

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        await self._do("edit", chat_id=chat_id, message_id=message_id, text=text)

    async def delete(self, chat_id: str, message_id: str) -> None:
        await self._do("delete", chat_id=chat_id, message_id=message_id)

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None:
        await self._do("react", chat_id=chat_id, message_id=message_id, person=person, emoji=emoji, remove=remove)

    async def remove_bot(self, chat_id: str) -> None:
        await self._do("remove_bot", chat_id=chat_id)

    async def bring_bot_back(self, chat_id: str) -> None:
        await self._do("remove_bot", chat_id=chat_id, back=True)

    async def formatting_sample(self) -> str:
        return await self._client.get(f"/{self.platform}/formatting_sample", str)

    async def transcript(self, chat_id: str) -> Sequence[SeenMessage]:
        return await self._client.get(f"/{self.platform}/transcript", list[SeenMessage], chat_id=chat_id)

    async def changes(self, since_seq: int = 0) -> AsyncIterator[SeenChange]:
        """As `Emulator.changes` (ChangesLost included); raises ConnectionError or aiohttp.ClientError when the other process has
        ended. Continue from the `seq` last seen."""
        async for data in self._client.events(f"/{self.platform}/changes", since_seq=str(since_seq)):
            yield msgspec.json.decode(data, type=SeenChange)

    async def wait_until(
        self, chat_id: str, holds: Callable[[Sequence[SeenMessage]], bool], *, timeout_s: float
    ) -> Sequence[SeenMessage]:
        """The chat's transcript once `holds` is true of it. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not holds(seen := await self.transcript(chat_id)):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(_POLL_S)
        return seen

    async def file_bytes(self, file_id: str) -> bytes:
        return await self._client.get_bytes(f"/{self.platform}/files/{quote(file_id, safe='')}")

    async def inject(self, fault: Fault) -> None:
        await self._do("inject", fault=fault)

    async def clear_faults(self) -> None:
        await self._do("clear_faults")

    async def disturb(self, what: StreamFault) -> None:
        await self._do("disturb", what=what)

    async def refuse_connections(self, refuse: bool) -> None:
        await self._do("refuse_connections", refuse=refuse)

    async def calls(self) -> Sequence[str]:
        return await self._client.get(f"/{self.platform}/calls", list[str])

    async def _do(self, operation: str, **body: object) -> Any:
        return await self._client.post(f"/{self.platform}/{operation}", body)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    content = await response.read()
    if response.status >= 400:
        try:
            reason = msgspec.json.decode(content, type=dict[str, str]).get("error", "")
        except msgspec.DecodeError:
            reason = content[:200].decode(errors="replace")
        raise ControlError(response.status, reason)
    return content
