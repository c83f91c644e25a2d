"""How the account reaches its server: proxy, CA file, base URL; and what importing the package costs."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Upload
from adapters.registry import load_platform
from adapters.telegram.emulator import TelegramEmulator
from bridge.model.adapter import Outbound
from bridge.model.errors import AccountDown, RetryLater
from tests.support.patience import PATIENCE_S


class Proxy:
    """A plain HTTP proxy that forwards requests in absolute form, and remembers whom it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refuse = False
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        self.asked.append(f"{method} {target.split('/bot')[0]}")
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        else:
            host, _, path = target.removeprefix("http://").partition("/")
            name, _, port = host.partition(":")
            up_reader, up_writer = await asyncio.open_connection(name, int(port))
            rest = head.split(b"\r\n", 1)[1].replace(b"Connection: keep-alive", b"Connection: close")
            up_writer.write(f"{method} /{path} HTTP/1.1\r\nConnection: close\r\n".encode() + rest)
            copying = asyncio.create_task(self.pass_on(reader, up_writer))
            await self.pass_on(up_reader, writer)
            copying.cancel()
            up_writer.close()
        writer.close()

    @staticmethod
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield proxy
    server.close()
    await server.wait_closed()


async def test_calls_and_downloads_go_through_the_proxy(
    emulator: TelegramEmulator, chat: str, make_adapter: Callable[..., Any], say: Callable[..., Outbound], proxy: Proxy
) -> None:
    adapter = make_adapter(proxy=proxy.url)
    await adapter.send(say("through"))
    assert proxy.asked == [f"POST {emulator.base_url}"]
    assert emulator.transcript(chat)[0].text == "through"


async def test_a_proxy_that_refuses_the_tunnel_surely_sent_nothing(
    make_adapter: Callable[..., Any], say: Callable[..., Outbound], proxy: Proxy
) -> None:
    adapter = make_adapter(proxy=proxy.url, base_url="https://api.telegram.invalid")
    with pytest.raises(AccountDown, match="proxy"):
        await adapter.send(say("x"))
    assert proxy.asked == ["CONNECT api.telegram.invalid:443"]


async def test_a_base_url_may_have_a_path(emulator: TelegramEmulator, make_adapter: Callable[..., Any]) -> None:
    adapter = make_adapter(base_url=emulator.base_url + "/")
    assert (await adapter.probe([]))[0].ok


def test_a_missing_ca_file_is_a_fault_before_any_connection(tmp_path: Path) -> None:
    options = load_platform("telegram").options()(token="1:x", ca_file=tmp_path / "none.pem", files_root=tmp_path)
    assert sorted(fault.key for fault in load_platform("telegram").check_options(options)) == ["ca_file", "files_root"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = f"-addext subjectAltName=DNS:localhost -keyout {folder / 'key.pem'} -out {folder / 'cert.pem'}"
    try:
        subprocess.run(f"{command} {files}".split(), check=True, capture_output=True, timeout=PATIENCE_S)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return folder


@pytest.fixture
async def secure_url(emulator: TelegramEmulator, certificate: Path) -> AsyncIterator[str]:
    """The emulator behind TLS."""
    host, _, port = emulator.base_url.removeprefix("http://").partition(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await asyncio.gather(Proxy.pass_on(reader, up_writer), Proxy.pass_on(up_reader, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield f"https://localhost:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_a_certificate_of_ones_own_ca_is_accepted_when_named(
    emulator: TelegramEmulator,
    chat: str,
    make_adapter: Callable[..., Any],
    intake: Any,
    receiving: Any,
    say: Any,
    file: Any,
    secure_url: str,
    certificate: Path,
) -> None:
    adapter = make_adapter(base_url=secure_url, ca_file=certificate / "cert.pem")
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "in", files=[Upload(name="a.txt", mime="text/plain", content=b"abc")])
        await intake.until(lambda: intake.events)
        async with adapter.open_file(intake.events[0].content.attachments[0]) as stream:
            assert b"".join([chunk async for chunk in stream.chunks]) == b"abc"
        await adapter.send(say("out", files=(file("document", "b.bin", "application/octet-stream", b"x" * 300_000),)))
        await adapter.close()
    assert [message.text for message in emulator.transcript(chat)] == ["in", "out"]
    assert all(item.ok for item in await make_adapter(base_url=secure_url, ca_file=certificate / "cert.pem").probe([chat]))


async def test_an_unknown_certificate_is_never_accepted_and_the_way_out_is_told(
    emulator: TelegramEmulator, make_adapter: Callable[..., Any], intake: Any, say: Any, secure_url: str
) -> None:
    adapter = make_adapter(base_url=secure_url)
    for attempt in (lambda: adapter.run(intake), lambda: adapter.send(say("x"))):
        with pytest.raises(AccountDown, match="certificate") as raised:
            await attempt()
        assert "ca_file" in raised.value.action
    [item] = await adapter.probe([])
    assert not item.ok
    assert "ca_file" in item.action
    assert emulator.calls() == []


async def test_a_ca_does_not_vouch_for_another_name(
    emulator: TelegramEmulator, make_adapter: Callable[..., Any], say: Any, secure_url: str, certificate: Path
) -> None:
    adapter = make_adapter(base_url=secure_url.replace("localhost", "127.0.0.1"), ca_file=certificate / "cert.pem")
    with pytest.raises(AccountDown, match="certificate"):
        await adapter.send(say("x"))
    assert emulator.calls() == []


async def test_a_server_without_tls_is_not_taken_for_one_with_it(
    emulator: TelegramEmulator, make_adapter: Callable[..., Any], say: Any
) -> None:
    adapter = make_adapter(base_url=emulator.base_url.replace("http://", "https://"))
    with pytest.raises(RetryLater):
        await adapter.send(say("x"))
    assert emulator.calls() == []


@pytest.mark.parametrize("address", ["-1001234567890", "12345", "@channel_name"])
def test_addresses(address: str) -> None:
    assert load_platform("telegram").check_address(address) is None


@pytest.mark.parametrize("address", ["", "#general", "@x", "-100x", "https://t.me/c/1", "@имя_канала"])
def test_wrong_addresses_are_explained(address: str) -> None:
    assert "Telegram chat" in (load_platform("telegram").check_address(address) or "")


def test_threads() -> None:
    assert load_platform("telegram").check_thread("45") is None
    assert "leave it out" in (load_platform("telegram").check_thread("1") or "")
    assert load_platform("telegram").check_thread("topic") is not None


def test_the_package_imports_nothing_heavy() -> None:
    code = "import sys, adapters.telegram; print([m for m in ('aiogram', 'pydantic', 'aiohttp') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert result.stdout.strip() == "[]"


def test_aiograms_models_are_built_on_first_use() -> None:
    """All at once they cost seconds and a hundred megabytes; each must work all the same, for anybody in the process."""
    code = """
from adapters.registry import load_platform
load_platform("telegram").preload()
from aiogram import methods
from aiogram.types import Update, Message
assert not Update.__pydantic_complete__
methods.SendMessage(chat_id=1, text="x", entities=[{"type": "bold", "offset": 0, "length": 1}], reply_parameters={"message_id": 1})
assert not Update.__pydantic_complete__
chat, user = {"id": 1, "type": "private"}, {"id": 1, "is_bot": False, "first_name": "x"}
said = {"message_id": 1, "date": 5, "chat": chat, "from": user, "text": "hi"}
assert Update.model_validate({"update_id": 1, "message": said}).message.text == "hi"
assert Message(**said).chat.id == 1
assert methods.Response[Message].model_validate({"ok": True, "result": said}).result.text == "hi"
print("fine")
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (result.stdout.strip(), result.stderr) == ("fine", "")


async def test_probe_says_what_to_click(emulator: TelegramEmulator, chat: str, make_adapter: Callable[..., Any]) -> None:
    async def failing(*chats: str) -> dict[str, str]:
        return {item.name: item.action for item in await make_adapter().probe(chats) if not item.ok}

    assert await failing(chat) == {}
    emulator.promote(chat, admin=False)
    assert list(await failing(chat)) == ["sees reactions"]
    emulator.bot().sees_everything = False
    faults = await failing(chat)
    assert set(faults) == {"privacy mode", "reads all messages", "sees reactions"}
    assert "/setprivacy" in faults["privacy mode"]
    emulator.kick(chat)
    assert "chat" in await failing(chat)
    group = emulator.add_group("Old").chat_id
    new = emulator.migrate(group).chat_id
    assert new in (await failing(group))["chat"]
    emulator.world.queues[emulator.bot().user_id].webhook_url = "https://elsewhere.example"
    assert "webhook" in await failing()
    await emulator.refuse_connections(True)
    assert list(await failing()) == ["connection"]


async def test_probe_knows_a_wrong_token(make_adapter: Callable[..., Any]) -> None:
    for token in ("123456:" + "A" * 35, "nonsense"):
        [item] = await make_adapter(token=token).probe([])
        assert (item.name, item.ok) == ("token", False)
        assert "BotFather" in item.action


async def test_in_a_private_chat_everything_is_for_the_bot(emulator: TelegramEmulator, make_adapter: Callable[..., Any]) -> None:
    """Privacy mode is about groups (Telegram bots FAQ)."""
    emulator.bot().sees_everything = False
    chat = emulator.add_group("Anna")
    emulator.promote(chat.chat_id, admin=False)
    emulator.world.chats[int(chat.chat_id)].type = "private"
    items = await make_adapter().probe([chat.chat_id])
    assert [item.name for item in items if not item.ok] == []
