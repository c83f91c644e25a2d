"""The admin listener: no web page asks it through a browser of its host, and a port that cannot be had is named by its key."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.config.model import Listener
from bridge.observability.metrics import Metrics
from bridge.web.admin import AdminWeb
from bridge.web.listening import CannotListen, answers_to, named


async def nothing(_: str) -> tuple[bytes, str]:
    return b"", "text/plain"


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

    admin = AdminWeb(report=report, metrics=nothing, hosts=["monitor.example.com"])
    port = await admin.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        for path in ("health", "ready", "metrics", "nothing"):
            async with session.get(f"http://127.0.0.1:{port}/{path}", headers={"Host": host}) as answer:
                assert (answer.status != 421) == is_answered
    await admin.stop()


def report_of(**more: Any) -> dict[str, Any]:
    well: dict[str, Any] = {"status": "pass", "reason": "", "action": ""}
    parked = {"status": "fail", "reason": "the token was revoked", "action": "make a new one\nin BotFather"}
    lane = {"target": "tg/1", "status": "warn", "waiting": 3, "oldest": "2026-01-01", "reason": "429", "action": ""}
    return {
        "ok": False,
        "status": "fail",
        "accounts": {"tg": parked, "team": well},
        "lanes": [lane],
        "journal": {"dead": 2},
        "to_do": [],
        **more,
    }


async def test_container_platforms_ask_in_their_own_way() -> None:
    now: dict[str, Any] = report_of()

    async def report() -> dict[str, Any]:
        return now

    admin = AdminWeb(report=report, metrics=nothing)
    port = await admin.start("127.0.0.1", 0)

    async def ask(path: str) -> tuple[int, str]:
        async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()

    async with aiohttp.ClientSession() as session:
        assert await ask("/livez") == (200, "ok\n"), "a parked account is no reason to restart the process"
        status, text = await ask("/readyz")
        assert status == 503
        assert text.splitlines() == [
            "[-]account tg failed: the token was revoked - make a new one in BotFather",
            "[+]account team ok",
            "[+]lane tg/1 ok, but: 3 waiting since 2026-01-01: 429",
            "[+]dead letters ok, but: 2 wait - messenger-bridge dead list",
            "[+]journal ok",
            "readyz check failed",
        ]
        async with session.get(f"http://127.0.0.1:{port}/health") as answer:
            assert (await answer.json())["reasons"] == [
                "fail: account tg: the token was revoked",
                "warn: lane tg/1: 3 waiting since 2026-01-01: 429",
                "warn: dead letters: 2 wait",
            ]
        now.update(ok=True, status="pass", accounts={}, lanes=[], journal={})
        assert await ask("/readyz") == (200, "ok\n")
        assert await ask("/readyz?verbose") == (200, "[+]journal ok\nreadyz check passed\n")
        assert await ask("/livez?verbose") == (200, "[+]journal ok\nlivez check passed\n")
    await admin.stop()


async def test_a_journal_that_hangs_is_a_process_that_does_not_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.web.admin._ANSWERS_WITHIN_S", 0.05)

    async def report() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    admin = AdminWeb(report=report, metrics=nothing)
    port = await admin.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/livez") as answer:
        assert answer.status == 503
        assert (await answer.text()).startswith("[-]journal failed: does not answer within")
    await admin.stop()


async def test_metrics_are_asked_for_by_accept() -> None:
    async def report() -> dict[str, Any]:
        return {}

    admin = AdminWeb(report=report, metrics=Metrics().scraped)
    port = await admin.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        for accept, kind in (("application/openmetrics-text", "application/openmetrics-text"), ("text/plain", "text/plain")):
            async with session.get(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept}) as answer:
                assert answer.headers["Content-Type"].startswith(f"{kind}; version=")
                assert answer.headers["Vary"] == "Accept"
                assert (await answer.read()).endswith(b"# EOF\n") == (kind != "text/plain")
    await admin.stop()


def test_a_listener_for_the_network_answers_to_every_name_unless_it_is_told_which() -> None:
    assert answers_to("bridge.lan:8081", "0.0.0.0")
    assert not answers_to("bridge.lan:8081", "0.0.0.0", ["other.lan"])
    assert answers_to("Other.lan:8081", "0.0.0.0", ["other.LAN"])
    assert not answers_to("bridge.lan", "::1")


async def test_a_port_that_is_taken_is_named_by_its_key(tmp_path: Path) -> None:
    async def report() -> dict[str, Any]:
        return {}

    first = AdminWeb(report=report, metrics=nothing)
    port = await first.start("127.0.0.1", 0)
    second = AdminWeb(report=report, metrics=nothing)
    with pytest.raises(CannotListen, match=rf"web\.admin\.listen: cannot listen on 127\.0\.0\.1 port {port}: another program"):
        with named("web.admin.listen", Listener(host="127.0.0.1", port=port)):
            await second.start("127.0.0.1", port)
    await second.stop()
    await first.stop()
