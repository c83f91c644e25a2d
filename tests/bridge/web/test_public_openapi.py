"""`docs/openapi.yaml` against the listener as it is: whatever is sent, the answer is one that the document names, and nobody writes
anything without a key. Raw requests by hypothesis, well-formed and broken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.journal.sqlite import SqliteJournal
from bridge.model.web_mount import PLACES_OF_API
from bridge.policy.access_keys import LINK_PREFIX, new_secret
from tests.support.budget import examples
from tests.support.keyed_door import Door, header, status
from tests.support.patience import PATIENCE_S
from tests.support.raw_http import Caller

DOCUMENT = yaml.safe_load((Path(__file__).parents[3] / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
OPERATIONS = [
    (path, method, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in ("get", "post", "options", "put", "delete", "patch", "head")
]
ODD = st.text(alphabet=st.characters(codec="latin-1", exclude_characters="\r\n\x00"), max_size=40)
SIZES = settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Callable[[Door, str], Coroutine[Any, Any, None]]], None]:
    """Runs a coroutine with a listener and a valid key; hypothesis calls it once an example."""
    number = iter(range(1_000_000))

    def call(work: Callable[[Door, str], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            folder = tmp_path / str(next(number))
            folder.mkdir()
            journal = SqliteJournal(folder / "bridge.journal")
            await journal.open()
            door = Door(journal)
            door.port = await door.public.start("127.0.0.1", 0)
            try:
                await work(door, await door.key(is_form=True, origins=("https://example.com",), most_bytes=2000))
            finally:
                for caller in door.callers:
                    caller.writer.transport.abort()
                await door.public.stop()
                await journal.close()

        asyncio.run(whole())

    return call


async def whole_answer(door: Door, request: bytes, *, is_all: bool = False) -> bytes:
    """`is_all`: nothing more comes, and the caller says so; else the server ends the connection."""
    caller: Caller = await door.connect(request)
    if is_all:
        caller.writer.write_eof()
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await caller.reader.read()
        except ConnectionError:
            return b""


def test_the_document_names_every_place_that_is_served() -> None:
    served = {"/in", "/in/{key}", "/out", "/out/{key}", "/hooks/{account}/{name}", "/keys/{link}", "/hooks/{key}", "/", "/{topic}"}
    served |= {f"/api/{place}" for place in PLACES_OF_API} | {"/api/{key}/api/messages"}
    assert DOCUMENT["paths"].keys() == served | {"/files/{sealed}/{name}", "/faces/{sealed}/face.png"}
    ids = [operation["operationId"] for *_, operation in OPERATIONS]
    assert len(set(ids)) == len(ids) == 21


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=[one["operationId"] for *_, one in OPERATIONS])
def test_every_answer_is_one_that_the_document_names(
    run: Callable[..., None], path: str, method: str, operation: dict[str, Any]
) -> None:
    @SIZES
    @given(
        is_valid=st.booleans(),
        is_up=st.booleans(),
        body=st.binary(max_size=2500),
        query=st.text(alphabet="ab=&%+1", max_size=20),
        heads=st.dictionaries(
            st.sampled_from(
                ["Origin", "Content-Type", "Content-Encoding", "Accept", "Cookie", "X-Forwarded-For", "Forwarded", "Expect"]
            ),
            ODD | st.sampled_from(["https://example.com", "gzip", "application/json", "100-continue", "null", "for=1.2.3.4"]),
        ),
    )
    def check(is_valid: bool, is_up: bool, body: bytes, query: str, heads: dict[str, str]) -> None:
        async def work(door: Door, key: str) -> None:
            door.account.is_up = is_up
            shown = key if is_valid else new_secret()
            link = (await door.invite("alerts")).rpartition("/")[2] if is_valid else new_secret(LINK_PREFIX)
            place = path.format(key=shown, account="hooks", name="events", link=link, topic="backups", sealed="AAAA")
            given = heads if "security" in operation else {**heads, "Authorization": f"Bearer {shown}"}
            lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
            where = f"{place}?{query}" if query else place
            length = f"Content-Length: {len(body)}\r\n" if body else ""
            head = f"{method.upper()} {where} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{length}{lines}\r\n"
            answer = await whole_answer(door, head.encode("latin-1") + body)
            if answer.startswith(b"HTTP/1.1 100"):
                answer = answer.partition(b"\r\n\r\n")[2]
            if answer.startswith(b"HTTP/1.0 400"):
                return  # no HTTP: a control character in a header
            assert str(status(answer)) in operation["responses"], (head, answer)
            if status(answer) in (429, 503):
                assert int(header(answer, "Retry-After") or "0") > 0
            if not is_valid:
                assert not door.account.calls
                assert status(answer) in (401, 415)

        run(work)

    check()


def test_nothing_that_is_sent_is_an_error_of_ours_or_opens_anything(run: Callable[..., None]) -> None:
    """Raw bytes, some of them nearly HTTP."""
    begin = [b"POST ", b"GET ", b"/in/", b"/out/", b"/keys/", b"/hooks/a/b", b"mbk_", b"%00", b"%ff", b"http://", b"[::1", b"*"]
    heads = [b" HTTP/1.1\r\n", b"Host: x\r\n", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Expect: 100-continue\r\n"]
    chunks = [
        b"Transfer-Encoding: chunked\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"\r\n",
        b"\n",
        b"\x00",
        b"//",
        b"../",
        b"?",
        b"#",
    ]
    shown = [b"Authorization: Bearer \xff\r\n", b"Cookie: messenger_bridge_keys=x\r\n"]
    words = st.sampled_from([*begin, *heads, *chunks, *shown])
    pieces = st.lists(words | st.binary(max_size=20), max_size=25).map(b"".join)

    @SIZES
    @given(requests=st.lists(pieces, min_size=1, max_size=5))
    def check(requests: list[bytes]) -> None:
        async def work(door: Door, _: str) -> None:
            for request in requests:
                answer = await whole_answer(door, request, is_all=True)
                assert not answer.startswith(b"HTTP/1.1 5"), (request, answer)
                assert b"Traceback" not in answer
                assert b"aiohttp" not in answer
            assert not door.account.calls
            assert [key.key_id for key in await door.journal.keys()] == ["k1"]
            assert await door.journal.arrivals("k1") == []

        run(work)

    check()
