"""The admin listener: no web page asks it through a browser of its host, and a port that cannot be had is named by its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.config.model import Listener
from bridge.web.admin import AdminWeb
from bridge.web.listening import CannotListen, answers_to, named


@pytest.mark.parametrize(
    ("host", "is_answered"),
    [
        ("127.0.0.1:8081", True),
        ("localhost:8081", True),
        ("LOCALHOST", True),
        ("localhost.:8081", True),
        ("[::1]:8081", True),
        ("10.1.2.3:8081", True),
        ("monitor.example.com", True),
        ("evil.example:8081", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example:8081", False),
        ("evil", False),
    ],
)
async def test_who_is_answered(host: str, is_answered: bool) -> None:
    async def report() -> dict[str, Any]:
        return {"ok": True, "status": "ok"}

    admin = AdminWeb(report=report, metrics=lambda: (b"", "text/plain"), hosts=["monitor.example.com"])
    port = await admin.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        for path in ("health", "ready", "metrics", "nothing"):
            async with session.get(f"http://127.0.0.1:{port}/{path}", headers={"Host": host}) as answer:
                assert (answer.status != 421) == is_answered
    await admin.stop()


def test_a_listener_for_the_network_answers_to_every_name_unless_it_is_told_which() -> None:
    assert answers_to("bridge.lan:8081", "0.0.0.0")
    assert not answers_to("bridge.lan:8081", "0.0.0.0", ["other.lan"])
    assert answers_to("Other.lan:8081", "0.0.0.0", ["other.LAN"])
    assert not answers_to("bridge.lan", "::1")


async def test_a_port_that_is_taken_is_named_by_its_key(tmp_path: Path) -> None:
    async def report() -> dict[str, Any]:
        return {}

    first = AdminWeb(report=report, metrics=lambda: (b"", ""))
    port = await first.start("127.0.0.1", 0)
    second = AdminWeb(report=report, metrics=lambda: (b"", ""))
    with pytest.raises(CannotListen, match=rf"web\.admin\.listen: cannot listen on 127\.0\.0\.1 port {port}: another program"):
        with named("web.admin.listen", Listener(host="127.0.0.1", port=port)):
            await second.start("127.0.0.1", port)
    await second.stop()
    await first.stop()
