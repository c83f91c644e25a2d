"""How the account reaches Slack: proxy, own CA, environment; and what importing the package costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Upload
from adapters.slack.emulator import SlackEmulator
from bridge.model.adapter import Outbound, OutboundFile
from bridge.model.errors import (
    AccountDown,
    ConnectionLost,
    RetryLater,
)
from bridge.model.events import Attachment, AttachmentKind, MessageCreated
from bridge.model.rich_text import plain
from tests.support.network import Certificates, relaying, server_context
from tests.support.patience import eventually


async def cross_both_ways(account: Any, emulator: SlackEmulator, folder: Path, **options: Any) -> None:
    """A message and a file in, a message and a file out."""
    chat = account.chat()
    adapter = await account.start(**options)
    await emulator.say(chat, "Anna", "in", files=[Upload(name="a.txt", mime="text/plain", content=b"abc")])
    await eventually(lambda: account.intake.texts() == ["in"])
    async with adapter.open_file(account.intake.of(MessageCreated)[0].content.attachments[0]) as stream:
        assert b"".join([chunk async for chunk in stream.chunks]) == b"abc"
    (folder / "b.txt").write_bytes(b"def")
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="", name="b.txt")
    file = OutboundFile(attachment=attachment, path=folder / "b.txt", name="b.txt", mime="text/plain", size_bytes=3)
    await adapter.send(Outbound(token="t", attempt=1, chat_id=chat, text=plain("out")))
    await adapter.send(Outbound(token="t2", attempt=1, chat_id=chat, text=plain("file"), files=(file,)))
    assert [message.text for message in emulator.transcript(chat)] == ["in", "out", "file"]


async def test_everything_goes_through_the_proxy(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    async with relaying(emulator.base_url) as proxy:
        await cross_both_ways(account, emulator, tmp_path, proxy=proxy.url)
        await account.close()
    paths = set(proxy.paths())
    assert {"/api/auth.test", "/api/chat.postMessage", "/link/"} <= paths
    assert any(path.startswith("/upload/") for path in paths)
    assert any(path.startswith("/files-pri/") for path in paths)
    # large requests come in several chunks: at least as many as there were calls
    assert len(proxy.asked) >= len(emulator.calls())


async def test_the_environment_says_nothing_about_proxies(
    account: Any, emulator: SlackEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await cross_both_ways(account, emulator, tmp_path)


async def test_a_proxy_that_is_away_means_not_reached(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    with pytest.raises(ConnectionLost):
        await account.start(proxy="http://127.0.0.1:9")
    with pytest.raises(RetryLater):
        await account.build(proxy="http://127.0.0.1:9").send(Outbound(token="t", attempt=1, chat_id=chat, text=plain("x")))


@pytest.fixture
async def secure_url(emulator: SlackEmulator, certificates: Certificates) -> AsyncIterator[str]:
    """The emulator behind TLS, sockets and files too."""
    async with relaying(emulator.base_url, server_context(certificates.good)) as relay:
        emulator.public_url = f"https://localhost:{relay.port}"
        yield emulator.public_url


async def test_a_certificate_of_ones_own_ca(
    account: Any, emulator: SlackEmulator, tmp_path: Path, secure_url: str, certificates: Certificates
) -> None:
    await cross_both_ways(account, emulator, tmp_path, api_url=f"{secure_url}/api", ca_file=certificates.good)
    await account.close()


async def test_a_socket_with_an_unknown_certificate_stops_only_what_comes_in(
    account: Any, emulator: SlackEmulator, secure_url: str
) -> None:
    """Messages go another way. That of the API itself stops both."""
    chat = account.chat()
    with pytest.raises(AccountDown, match="socket") as only_in:
        await account.start()
    with pytest.raises(AccountDown) as both:
        await account.start(api_url=f"{secure_url}/api")
    assert (only_in.value.sends, both.value.sends) == (True, False)
    await account.build().send(Outbound(token="t", attempt=1, chat_id=chat, text=plain("out")))
    assert [message.text for message in emulator.transcript(chat)] == ["out"]


async def test_an_unknown_certificate_is_never_accepted(account: Any, emulator: SlackEmulator, secure_url: str) -> None:
    with pytest.raises(AccountDown):
        await account.start(api_url=f"{secure_url}/api")
    assert emulator.calls() == []


def test_the_package_imports_no_client_library() -> None:
    code = "import sys, adapters.slack; print([m for m in ('slack_sdk', 'aiohttp', 'pydantic') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


# -- the error table ----------------------------------------------------------------------------------------------------------
