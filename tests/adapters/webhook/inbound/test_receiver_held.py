"""What senders hold on to: files of requests that come to nothing are gone at once; words in memory are bounded together."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapters.webhook.inbound.multipart import MOST_WORDS_BYTES
from bridge.web.door import MOST_BYTES_IN_FLIGHT
from tests.adapters.webhook.harness import Hooks
from tests.support.intake import Gate
from tests.support.patience import eventually
from tests.support.raw_http import door_of


@pytest.fixture
async def hooks(tmp_path: Path) -> AsyncIterator[Hooks]:
    async with Hooks(tmp_path, {"alerts": {}}) as made:
        yield made


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nsee\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nwords\r\n--b--\r\n'
)


async def send(url: str, body: bytes, content_type: str = "multipart/form-data; boundary=b") -> asyncio.StreamWriter:
    """A request whose answer nobody waits for."""
    parts = urlsplit(url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    return writer


def kept(hooks: Hooks) -> list[Path]:
    return list(hooks.received.iterdir()) if hooks.received.is_dir() else []


async def test_who_hangs_up_before_it_is_stored_leaves_no_file(hooks: Hooks) -> None:
    gate = Gate()
    hooks.intake.before_accept = gate
    first = asyncio.create_task(hooks.post("alerts", b"first"))
    await eventually(lambda: gate.held, what="the first is being stored")
    writer = await send(await hooks.key("alerts"), FORM)
    await eventually(lambda: len(hooks.adapter._receiver._waiting) == 1, what="the form waits")
    assert len(kept(hooks)) == 1
    writer.close()
    await eventually(lambda: hooks.adapter._receiver._waiting[0][1].done(), what="the caller is gone")
    gate.open()
    assert (await first).status == 200
    await eventually(lambda: not kept(hooks), what="the file is gone")
    assert hooks.words() == ["first"]


async def test_who_hangs_up_while_it_is_stored_has_said_it_with_its_file(hooks: Hooks) -> None:
    gate = Gate()
    hooks.intake.before_accept = gate
    writer = await send(await hooks.key("alerts"), FORM)
    await eventually(lambda: gate.held, what="it is being stored")
    writer.close()
    server = door_of(hooks.public)
    await eventually(lambda: not server._connections, what="the caller is gone")
    gate.open()
    await eventually(lambda: hooks.words() == ["see"], what="the message")
    (file,) = hooks.created()[0].content.attachments
    async with hooks.adapter.open_file(file) as stream:
        assert b"".join([piece async for piece in stream.chunks]) == b"words"


async def test_what_the_core_does_not_take_leaves_no_file(hooks: Hooks) -> None:
    async def fail() -> None:
        raise RuntimeError("the disk is full")

    hooks.intake.before_accept = fail
    answer = await hooks.post("alerts", FORM, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    await eventually(lambda: not kept(hooks), what="the file is gone")
    with pytest.raises(RuntimeError):
        await hooks.running


async def test_a_forms_headers_are_bounded_as_its_words_are(hooks: Hooks) -> None:
    part = b"--b\r\nContent-Disposition: form-data; name=f\r\nX-Y: " + b"y" * 7000 + b"\r\n\r\nx\r\n"
    key = await hooks.key("alerts", most_bytes=10_000_000)
    answer = await hooks.call("POST", key, data=io.BytesIO(part * 190), headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status == 413
    assert not hooks.intake.events


HOLDERS = """
import socket, sys
host, port, count, size, *paths = sys.argv[1:]
field = b"--b\\r\\nContent-Disposition: form-data; name=text\\r\\n\\r\\n" + b"w" * int(size)
held = []
for number in range(int(count)):
    try:
        one = socket.create_connection((host, int(port)), timeout=60)
        head = f"POST {paths[number % len(paths)]} HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: {len(field) + 1000}\\r\\n"
        one.sendall((head + "Content-Type: multipart/form-data; boundary=b\\r\\n\\r\\n").encode() + field)
        held.append(one)
    except OSError:
        pass  # it made room for another
print("held", flush=True)
sys.stdin.read()
"""


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def test_hundreds_of_forms_that_do_not_end_cost_no_more_than_all_bodies_may(hooks: Hooks) -> None:
    """Each holds nearly as many words as a request may have: together they would be 250 MB."""
    keys = [await hooks.key("alerts") for _ in range(20)]
    parts = urlsplit(keys[0])
    size = MOST_WORDS_BYTES - 50_000
    paths = [urlsplit(key).path for key in keys]
    server = door_of(hooks.public)
    assert (await hooks.post("alerts", b"before")).status == 200
    before_bytes, most_held_bytes = resident_bytes(), 0
    arguments = (sys.executable, "-c", HOLDERS, str(parts.hostname), str(parts.port), "250", str(size), *paths)
    pipe = asyncio.subprocess.PIPE
    holders = await asyncio.create_subprocess_exec(*arguments, stdin=pipe, stdout=pipe)
    assert holders.stdout is not None
    done = asyncio.create_task(holders.stdout.readline())
    grown_bytes = 0
    while not done.done():
        await asyncio.wait([done], timeout=0.02)  # short: it looks again and again
        most_held_bytes = max(most_held_bytes, server.held_bytes)
        grown_bytes = max(grown_bytes, resident_bytes() - before_bytes)
    try:
        assert await done == b"held\n"
        assert 2 * MOST_WORDS_BYTES < most_held_bytes <= MOST_BYTES_IN_FLIGHT
        assert grown_bytes < 8 * MOST_BYTES_IN_FLIGHT, f"{grown_bytes:,} bytes more"
        answer = await hooks.post("alerts", FORM, headers={"Content-Type": "multipart/form-data; boundary=b"})
        assert answer.status == 200, "an honest form gets in"
    finally:
        holders.kill()
        await holders.wait()
    await eventually(lambda: server.held_bytes == 0, what="all is given back")
    assert hooks.words() == ["before", "see"]


async def test_a_request_that_was_coming_while_a_reload_took_its_end_away_is_to_be_sent_again(tmp_path: Path) -> None:
    async with Hooks(tmp_path, {"alerts": {}, "other": {}}) as hooks:
        url = await hooks.key("alerts")
        parts, form = urlsplit(url), FORM.replace(b"words", b"words" * 40_000)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = f"POST {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        writer.write(f"{head}Content-Length: {len(form)}\r\n\r\n".encode() + form[:-10])
        await eventually(lambda: kept(hooks), what="the file begins")
        await hooks.end()
        hooks.options = hooks.platform.options().model_validate({"ends": {"renamed": {}, "other": {}}})
        await hooks.begin()
        writer.write(form[-10:])
        assert (await reader.readline()).split()[1] == b"503"
        writer.close()
        await eventually(lambda: not kept(hooks), what="the file is gone")
        assert (await hooks.call("POST", url, data=b"x")).status == 404, "the key's end is no more"
        assert (await hooks.post("other", b"still here")).status == 200
        assert hooks.words() == ["still here"]
