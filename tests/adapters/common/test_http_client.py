"""The client for plain HTTP and JSON against a server that answers as told: what comes out classified, bounded, and sent once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from adapters.common.http_client import HttpClient, login_headers
from adapters.common.http_errors import Effect
from adapters.common.options import NetworkOptions
from bridge.model.adapter import OutboundFile
from bridge.model.errors import BridgeError, ConnectionLost, OutcomeUnknown, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind


def refusal(status: int, headers: Mapping[str, str], payload: Any, *, doing: str, effect: Effect) -> BridgeError:
    return Rejected(f"{doing}: {status} {payload} {effect.name}")


class Server:
    """Answers every path with what `answer` makes of the request."""

    def __init__(self) -> None:
        self.url = ""
        self.reads = True
        self.requests: list[tuple[str, str, bytes]] = []
        self.answer: Any = lambda request: web.json_response({"ok": True})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read() if self.reads else b""
        self.requests.append((request.method, request.path_qs, body))
        found = self.answer(request)
        response: web.StreamResponse = await found if asyncio.iscoroutine(found) else found
        return response


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{any:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[HttpClient]:
    login = login_headers(SecretStr("tk_secret"))
    made = HttpClient(NetworkOptions(request_timeout_s=2), server.url, login=login, refusal=refusal)
    yield made
    await made.close()
    await made.close()


def file_of(path: Path, content: bytes) -> OutboundFile:
    path.write_bytes(content)
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="x", name="a.bin")
    return OutboundFile(attachment=attachment, path=path, name="a.bin", mime="", size_bytes=len(content))


def test_logins() -> None:
    assert login_headers(None) == {}
    assert login_headers(SecretStr("t")) == {"Authorization": "Bearer t"}
    assert login_headers(None, "kim", SecretStr("pass")) == {"Authorization": "Basic a2ltOnBhc3M="}


async def test_json_is_given_back_and_an_empty_answer_is_nothing(server: Server, client: HttpClient) -> None:
    assert await client.ask("GET", "a?b=c", doing="look") == {"ok": True}
    server.answer = lambda request: web.Response()
    assert await client.ask("POST", "a", doing="look", body=b"words") is None
    assert server.requests == [("GET", "/a?b=c", b""), ("POST", "/a", b"words")]


async def test_a_refusal_is_the_platforms_to_judge(server: Server, client: HttpClient) -> None:
    server.answer = lambda request: web.json_response({"code": 7}, status=418)
    with pytest.raises(Rejected, match=r"post: 418 \{'code': 7\} CREATES"):
        await client.ask("POST", "a", doing="post", effect=Effect.CREATES)


@pytest.mark.parametrize(("status", "error"), [(200, OutcomeUnknown), (403, RetryLater), (502, OutcomeUnknown)])
async def test_a_page_is_not_the_platforms_answer(
    server: Server, client: HttpClient, status: int, error: type[BridgeError]
) -> None:
    server.answer = lambda request: web.Response(text="<html>", status=status)
    with pytest.raises(error):
        await client.ask("POST", "a", doing="post", effect=Effect.CREATES)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(("effect", "error"), [(Effect.CREATES, OutcomeUnknown), (Effect.IDEMPOTENT, RetryLater)])
async def test_an_answer_that_never_comes(
    server: Server, client: HttpClient, method: str, effect: Effect, error: type[BridgeError]
) -> None:
    def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.answer = cut
    with pytest.raises(error) as raised:
        await client.ask(method, "a", doing="post", effect=effect)
    assert "tk_secret" not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert len(server.requests) == 1 or effect is Effect.IDEMPOTENT, "what creates something is sent once"


async def test_a_redirect_takes_the_credential_nowhere(server: Server, client: HttpClient) -> None:
    server.answer = lambda request: web.HTTPFound("/elsewhere")
    with pytest.raises(BridgeError):
        await client.ask("GET", "a", doing="look")
    assert [path for _, path, _ in server.requests] == ["/a"]


async def test_a_file_is_the_body(server: Server, client: HttpClient, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    told = await client.ask("PUT", "a", doing="upload", effect=Effect.CREATES, body=file_of(tmp_path / "a", content))
    assert told == {"ok": True}
    assert server.requests == [("PUT", "/a", content)]


@pytest.mark.parametrize(("reads", "error"), [(True, OutcomeUnknown), (False, RetryLater)])
async def test_an_upload_that_was_cut_in_the_middle_made_nothing(
    server: Server, client: HttpClient, tmp_path: Path, reads: bool, error: type[BridgeError]
) -> None:
    def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.reads, server.answer = reads, cut
    with pytest.raises(error):
        await client.ask("PUT", "a", doing="upload", effect=Effect.CREATES, body=file_of(tmp_path / "a", bytes(50_000_000)))


async def test_lines_come_as_they_are_written_however_they_are_cut(server: Server, client: HttpClient) -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b"o", b"ne\ntw", b"o\n\n", b"three\nun", b"finished"):
            await response.write(piece)
            await asyncio.sleep(0)
        return response

    server.answer = stream
    async with client.lines("a", doing="stream", silence_s=60) as stream_of:
        assert [line async for lines in stream_of for line in lines] == [b"one", b"two", b"three"]


async def test_a_line_without_an_end_is_not_kept(server: Server, client: HttpClient) -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(20):
            await response.write(b"x" * 100_000)
        return response

    server.answer = stream
    with pytest.raises(ConnectionLost):
        async with client.lines("a", doing="stream", silence_s=60) as stream_of:
            async for lines in stream_of:
                assert lines == []


async def test_a_silent_stream_is_over(server: Server, client: HttpClient) -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one\n")
        await asyncio.sleep(600)
        return response

    server.answer = stream
    with pytest.raises(RetryLater):
        async with client.lines("a", doing="stream", silence_s=0.2) as stream_of:
            async for _ in stream_of:
                pass


async def test_a_download_that_ends_early_never_looks_whole(server: Server, client: HttpClient) -> None:
    server.answer = lambda request: web.Response(
        body=b"0123456789", headers={"Authorization-Seen": request.headers.get("Authorization", "")}
    )
    async with client.download(f"{server.url}/f", 10, doing="download") as stream:
        assert b"".join([chunk async for chunk in stream.chunks]) == b"0123456789"

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"01234")
        assert request.transport is not None
        request.transport.close()
        return response

    server.answer = cut
    with pytest.raises(RetryLater):
        async with client.download(f"{server.url}/f", 10, doing="download") as stream:
            async for _ in stream.chunks:
                pass


@pytest.mark.parametrize(
    ("status", "error"), [(401, Rejected), (403, Rejected), (404, Rejected), (429, RetryLater), (503, RetryLater)]
)
async def test_a_files_server_says_nothing_about_the_account(
    server: Server, client: HttpClient, status: int, error: type[BridgeError]
) -> None:
    server.answer = lambda request: web.Response(status=status)
    with pytest.raises(error, match=f"^download: HTTP {status}$"):
        async with client.download(f"{server.url}/f", 10, doing="download"):
            pass
