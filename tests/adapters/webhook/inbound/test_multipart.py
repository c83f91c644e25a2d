"""No multipart body is a bug, and what is refused leaves no file."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from adapters.webhook.inbound.body import Body
from adapters.webhook.inbound.downloads import Downloads, _to_the_end
from adapters.webhook.inbound.multipart import Reader
from adapters.webhook.inbound.refusal import Refusal
from tests.support.clock import ManualClock
from tests.support.patience import PATIENCE_S

HEAD = b'--b\r\nContent-Disposition: form-data; name="f"'


def read(folder: Path, raw: bytes, content_type: str = "multipart/form-data; boundary=b") -> Body | Refusal:
    request = cast(Any, SimpleNamespace(headers=CIMultiDict({"Content-Type": content_type})))

    async def reading() -> Body | Refusal:
        try:
            return await Reader(Downloads(folder, ManualClock())).read_known(request, raw)
        except Refusal as refusal:
            return refusal

    return asyncio.run(reading())


async def test_who_is_cancelled_waits_for_what_a_thread_is_making() -> None:
    """A file that is renamed after it was taken away would stay."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(PATIENCE_S)

    working = asyncio.create_task(_to_the_end(work))
    await asyncio.to_thread(begun.wait, PATIENCE_S)
    working.cancel()
    await asyncio.wait([working], timeout=0.05)  # short: nothing may come
    assert not working.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await working


def left(folder: Path) -> int:
    return len(list(folder.iterdir()))


def test_fields_have_the_charset_that_the_form_says(tmp_path: Path) -> None:
    raw = (
        HEAD + b"\r\n\r\n" + "привет".encode("cp1251") + b'\r\n--b\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n'
        b"windows-1251\r\n--b--\r\n"
    )
    body = read(tmp_path, raw)
    assert isinstance(body, Body)
    assert body.fields == (("f", "привет"),)


@pytest.mark.parametrize(
    ("part", "status"),
    [
        (HEAD + b"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n", 400),
        (HEAD + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nYWI=\r\n--b--\r\n", 415),
        (HEAD + b'; filename="a"\r\n\r\nwords', 400),
        (b"--b\r\n" + b"X: y\r\n" * 10_000 + b"\r\nwords\r\n--b--\r\n", 400),
        ((HEAD + b"\r\n\r\nx\r\n") * 201 + b"--b--\r\n", 400),
        ((HEAD + b'; filename="a"\r\n\r\nx\r\n') * 21 + b"--b--\r\n", 413),
        ((HEAD + b'; filename="a"\r\n\r\n\r\n') * 300 + HEAD + b"\r\n\r\nx\r\n--b--\r\n", 400),
        (b"\r\n" * 10_000 + HEAD + b"\r\n\r\nx\r\n--b--\r\n", 400),
    ],
)
def test_what_is_refused_leaves_nothing(tmp_path: Path, part: bytes, status: int) -> None:
    refusal = read(tmp_path, part)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status, refusal.why
    assert left(tmp_path) == 0


_PIECES = [b"--b\r\n", b"--b--\r\n", b"\r\n", HEAD[5:], b'; filename="a.txt"', b"Content-Type: image/png", b"words", b"--b"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(_PIECES) | st.binary(max_size=20), max_size=20).map(b"".join))
def test_no_bytes_are_a_bug(tmp_path: Path, raw: bytes) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    found = read(tmp_path, raw)
    assert left(tmp_path) == (len(found.files) if isinstance(found, Body) else 0)


def test_a_signed_request_may_have_a_file_larger_than_a_streams_buffer(tmp_path: Path) -> None:
    content = b"attached" * 100_000
    body = read(
        tmp_path, HEAD + b'; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n' + content + b"\r\n--b--\r\n"
    )
    assert isinstance(body, Body)
    (file,) = body.files
    assert file.size_bytes == len(content)
