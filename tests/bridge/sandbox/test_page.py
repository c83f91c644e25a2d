"""The page's server: what it serves, with which headers, and whom it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aiohttp

from adapters.registry import load_platform
from bridge.sandbox import Sandbox
from bridge.sandbox.runner import listening, serve_page


async def test_the_page_is_served_with_care(tmp_path: Path) -> None:
    async with Sandbox(tmp_path, manifests=load_platform, platforms=("slack", "discord")) as sandbox:
        with listening(0) as listener:
            async with serve_page(sandbox, listener) as url, aiohttp.ClientSession() as session:
                await _check_served(session, url)


async def _check_served(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Frame-Options"] == "DENY"
        index = await response.text()
    wanted = set(re.findall(r'(?:src|href)="([^"#]+)"', index))
    assert wanted == {"app.js", "style.css", "parts.css", "looks.css", "favicon.svg"}
    reached: set[str] = set()
    left = {*wanted, "emoji.txt", "emoji.LICENSE.txt"}
    while left:  # what the page loads, and what that loads
        name = left.pop()
        text = await _text(session, url + name)
        reached.add(name)
        left |= {found for found in re.findall(r'from "\./([^"]+)"', text) if name.endswith(".js")} - reached
        assert name.endswith(".txt") or not re.search(r"https?://(?!127|www\.w3\.org/)", text), f"{name} knows an address outside"
    assert {"chat.js", "picker.js", "trace.js", "markup.js"} <= reached
    async with session.get(url + "voice.ogg") as response:
        assert response.headers["Content-Type"] == "audio/ogg"
        assert (await response.read()).startswith(b"OggS")
    for body in (b"", b"[]", b'{"messages": [{"platform": 7}]}', b"{" * 100_000):
        async with session.post(url + "marks", data=body, headers={"X-Messenger-Bridge": "1"}) as response:
            assert response.status == 400
            assert (await response.json())["error"]
    for path in ("status.json", "sandbox.json", ""):
        async with session.get(url + path, headers={"Host": "evil.example"}) as response:
            assert response.status == 403
    status: dict[str, Any] = json.loads(await _text(session, url + "status.json"))
    assert [account["account"] for account in status["accounts"]] == ["slack", "discord"]


async def _text(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as response:
        assert response.status == 200, url
        return await response.text()
