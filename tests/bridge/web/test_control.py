"""The control socket: answers what it is asked, and nothing that is asked breaks or fills it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.daemon import Daemon, NoDaemon
from bridge.web.control import ControlWeb, listen
from bridge.web.control_place import Listening, connect
from tests.support.patience import PATIENCE_S


class Pages:
    def __init__(self) -> None:
        self.asked: list[Mapping[str, str]] = []
        self.hang = asyncio.Event()

    async def status(self, query: Mapping[str, str]) -> dict[str, Any]:
        self.asked.append(dict(query))
        return {"ok": True, "config": "/etc/bridge.yaml"}

    async def reload(self, query: Mapping[str, str]) -> dict[str, Any]:
        self.asked.append(dict(query))
        await self.hang.wait()
        return {"ok": True}

    async def broken(self, _: Mapping[str, str]) -> dict[str, Any]:
        raise KeyError("a bug")


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
async def place(tmp_path: Path, pages: Pages) -> AsyncIterator[Path]:
    path = tmp_path / "control.sock"
    table = {("GET", "/status"): pages.status, ("POST", "/reload"): pages.reload, ("GET", "/broken"): pages.broken}
    control = ControlWeb(Listening(path), table)
    task = asyncio.create_task(control.run())
    yield path
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not path.exists()


def ask(place: Path, method: str = "GET", path: str = "/status", *, within_s: float = PATIENCE_S) -> Any:
    daemon = Daemon(Path("/etc/bridge.yaml"), place.with_suffix(".journal"), place)
    return asyncio.to_thread(daemon.ask, method, path, within_s=within_s)


async def test_it_answers(place: Path, pages: Pages) -> None:
    pages.hang.set()
    assert (await ask(place))["config"] == "/etc/bridge.yaml"
    assert await ask(place, "POST", "/reload?keep=1") == {"ok": True}
    assert {"keep": "1"} in pages.asked


@pytest.mark.parametrize(("method", "path"), [("GET", "/reload"), ("POST", "/status"), ("GET", "/"), ("DELETE", "/status")])
async def test_what_it_does_not_know_is_told(place: Path, method: str, path: str) -> None:
    with pytest.raises(NoDaemon, match="does not know that"):
        await ask(place, method, path)


async def test_a_bug_is_told_and_the_next_question_answered(place: Path) -> None:
    with pytest.raises(NoDaemon, match="unexpected KeyError"):
        await ask(place, path="/broken")
    assert (await ask(place))["ok"]


async def test_a_daemon_that_does_not_answer_is_told_in_time(place: Path, pages: Pages) -> None:
    with pytest.raises(NoDaemon, match=r"does not answer within 0\.5 s"):
        await ask(place, "POST", "/reload", within_s=0.5)
    assert (await ask(place))["ok"]


async def test_no_http_and_crowds_leave_it_answering(place: Path) -> None:
    crowd = [await asyncio.to_thread(connect, place, PATIENCE_S) for _ in range(40)]
    try:
        for one in crowd[::2]:
            with contextlib.suppress(OSError):  # some were closed to make room for others
                await asyncio.to_thread(one.sendall, b"\0\xff nonsense\r\n\r\n" * 10)
        assert (await ask(place))["ok"]
    finally:
        for one in crowd:
            one.close()
    assert (await ask(place))["ok"]


async def test_a_place_that_is_taken_is_told_and_the_next_one_used(tmp_path: Path) -> None:
    first = listen([tmp_path / "s", tmp_path / "t"])
    second = listen([tmp_path / "s", tmp_path / "t"])
    assert first is not None
    assert second is not None
    assert (first.path, second.path) == (tmp_path / "s", tmp_path / "t")
    assert listen([tmp_path / "s", tmp_path / "none" / "u"]) is None
    first.close()
    second.close()


async def test_a_command_finds_the_daemon_that_runs_its_file(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    ours = Daemon(Path("/etc/bridge.yaml"), tmp_path / "a.journal")
    assert (await asyncio.to_thread(ours.ask, "GET", "/status", within_s=PATIENCE_S))["ok"]
    other = Daemon(tmp_path / "other.yaml", tmp_path / "a.journal")
    with pytest.raises(NoDaemon, match=r"that daemon runs /etc/bridge\.yaml"):
        await asyncio.to_thread(other.ask, "GET", "/status", within_s=PATIENCE_S)


async def test_no_daemon_is_one_line(tmp_path: Path) -> None:
    nobody = Daemon(tmp_path / "bridge.yaml", tmp_path / "a.journal")
    with pytest.raises(NoDaemon) as told:
        await asyncio.to_thread(nobody.ask, "GET", "/status", within_s=1.0)
    assert str(told.value).startswith(f"no daemon runs with {tmp_path / 'bridge.yaml'} (asked at {tmp_path / 'a.sock'}")
    assert "start it, with `messenger-bridge run`" in str(told.value)
    assert "\n" not in str(told.value)
    given = Daemon(tmp_path / "bridge.yaml", tmp_path / "a.journal", tmp_path / "b.sock")
    with pytest.raises(NoDaemon, match=r"b\.sock: nobody listens there; start the daemon"):
        await asyncio.to_thread(given.ask, "GET", "/status", within_s=1.0)


async def test_what_is_not_our_daemon_is_told(tmp_path: Path) -> None:
    async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[1]\n")
        writer.close()

    server = await asyncio.start_unix_server(odd, tmp_path / "odd.sock")
    with pytest.raises(NoDaemon, match="not one of a daemon"):
        await ask(tmp_path / "odd.sock")
    server.close()
    await server.wait_closed()
