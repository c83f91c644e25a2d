"""A proxy that asks for a password gets it, and nobody else does: it is in nothing that is printed, logged or raised."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from adapters import registry
from adapters.common.options import NetworkOptions, ProxyUrl
from bridge.config.load import load_config
from bridge.model.adapter import Outbound
from bridge.model.errors import BridgeError
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import plain
from tests.conformance.rig import ACCOUNT
from tests.support.intake import RecordingIntake
from tests.support.web import UnreachedWeb

PASSWORD = "p%40ss-hunter22"
SHOWN = "hunter22"
"""What would give it away, quoted or not."""


class Proxy:
    """Refuses every request and remembers who asked."""

    def __init__(self) -> None:
        self.logins: list[str] = []
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        scheme, _, login = request.headers.get("Proxy-Authorization", "").partition(" ")
        self.logins.append(base64.b64decode(login).decode() if scheme == "Basic" else "")
        return web.Response(status=502)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    runner = web.ServerRunner(web.Server(proxy.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    proxy.url = f"http://relay:{PASSWORD}@127.0.0.1:{runner.addresses[0][1]}"
    yield proxy
    await runner.cleanup()


@pytest.mark.parametrize("platform", registry.platforms())
async def test_the_password_goes_to_the_proxy_and_into_no_text(
    platform: str, proxy: Proxy, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    manifest = registry.load_platform(platform)
    emulator = registry.load_emulator(platform)
    await emulator.start()
    chat = emulator.add_chat("lobby")
    options = manifest.options().model_validate({**emulator.account_options(), "proxy": proxy.url})
    adapter = manifest.build(AdapterContext(account=ACCOUNT, options=options, web=UnreachedWeb()))
    try:
        with pytest.raises(BridgeError) as raised:
            if manifest.deaf_after_s(options) is None:  # it is called by others, and connects when it sends
                await adapter.send(Outbound(token="t1", attempt=1, chat_id=chat.chat_id, text=plain("hello")))
            await adapter.run(RecordingIntake())
        probed = await adapter.probe(["1"])
    finally:
        await adapter.close()
        await emulator.stop()
    assert proxy.logins
    assert set(proxy.logins) == {"relay:p@ss-hunter22"}
    texts = [repr(options), str(options), f"{raised.value!r} {raised.value}", repr(probed), repr(vars(adapter)), caplog.text]
    assert not [text for text in (*texts, *capsys.readouterr()) if SHOWN in text]
    assert "http://relay:***@127.0.0.1" in repr(options)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://proxy:3128", "'http://proxy:3128'"),
        ("http://relay@proxy:3128", "'http://relay@proxy:3128'"),
        ("https://relay:secret@proxy:3128", "'https://relay:***@proxy:3128'"),
        ("http://:secret@proxy", "'http://:***@proxy'"),
        ("http://a:b@c:d@proxy", "'http://a:***@proxy'"),
        ("http://[::1]:3128", "'http://[::1]:3128'"),
        ("http://10.0.0.1:3128", "'http://10.0.0.1:3128'"),
        ("http://pro_xy.example.:3128", "'http://pro_xy.example.:3128'"),
        ("http://prüfung.example", "'http://prüfung.example'"),
    ],
)
def test_how_a_proxy_is_shown(url: str, shown: str) -> None:
    proxy = NetworkOptions.model_validate({"proxy": url}).proxy
    assert isinstance(proxy, ProxyUrl)
    assert (repr(proxy), str(proxy)) == (shown, url)


@pytest.mark.parametrize(
    "url",
    [
        "socks5://relay:hunter22@proxy:1",
        "relay:hunter22@proxy:3128",
        "http://relay:hunter22@",
        "http://relay:hunter22 @proxy:1",
        "http://relay:hunter22@proxy:99999999",
        "http://relay:x#hunter22@proxy:1",
        "http://relay:x/hunter22@proxy:1",
        "http://relay:hunter22/x@proxy:1",
        "http://relay:hunter22@pro..xy:1",
        f"http://relay:hunter22@{'p' * 64}.example:1",
        "http://relay:hunter22@10.0.0.0.1:1",
    ],
)
def test_a_proxy_that_cannot_be_one_is_a_fault_without_its_password(tmp_path: Path, url: str) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text(f"accounts:\n  tg: {{platform: telegram, token: '1:abc', proxy: '{url}'}}\n")
    (fault,) = load_config(path, {}, registry.load_platform, registry.platforms()).faults
    assert fault.key == "accounts.tg.proxy"
    assert SHOWN not in str(fault)
