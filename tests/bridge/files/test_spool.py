"""The spool: each file is fetched once, whole or not at all, within the bound; a damaged one is fetched again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.files.spool import Opener, Spool, TooLarge
from bridge.model.adapter import FileStream
from bridge.model.errors import FileHarmed, RetryLater


class Origin:
    """A file at its platform: how often it was opened, and what its body is."""

    def __init__(self, body: bytes = b"abc", size_bytes: int | None = None) -> None:
        self.body, self.size_bytes = body, size_bytes
        self.opened = 0

    @property
    def opener(self) -> Opener:
        @asynccontextmanager
        async def opened() -> AsyncIterator[FileStream]:
            self.opened += 1

            async def chunks() -> AsyncIterator[bytes]:
                yield self.body

            yield FileStream(chunks=chunks(), size_bytes=self.size_bytes)

        return opened


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool", 10)
    made.open()
    return made


async def test_two_borrowers_share_one_download(spool: Spool) -> None:
    origin = Origin()

    async def read() -> bytes:
        async with spool.borrow("a", origin.opener, most_bytes=10) as file:
            return file.path.read_bytes()

    assert list(await asyncio.gather(read(), read())) == [b"abc", b"abc"]
    assert origin.opened == 1
    assert spool.held_bytes == 3


@pytest.mark.parametrize(("body", "announced"), [(b"abcd", None), (b"abcd", 4), (b"", 4)])
async def test_a_file_above_the_limit_is_refused_and_nothing_is_kept(spool: Spool, body: bytes, announced: int | None) -> None:
    with pytest.raises(TooLarge):
        async with spool.borrow("a", Origin(body, announced).opener, most_bytes=3):
            pytest.fail("it was handed out")
    assert spool.held_bytes == 0


async def test_a_body_that_ends_early_is_no_file(spool: Spool) -> None:
    with pytest.raises(RetryLater, match="3 of 5 bytes"):
        async with spool.borrow("a", Origin(b"abc", 5).opener, most_bytes=10):
            pytest.fail("it was handed out")
    assert spool.held_bytes == 0


async def test_files_that_nobody_uses_make_room_oldest_first(spool: Spool) -> None:
    first, second, third = Origin(b"12345"), Origin(b"1234"), Origin(b"123")
    for key, origin in (("a", first), ("b", second), ("c", third), ("b", second), ("a", first)):
        async with spool.borrow(key, origin.opener, most_bytes=10):
            assert spool.held_bytes <= 10
    assert (first.opened, second.opened, third.opened) == (2, 1, 1)


async def test_a_file_that_a_reader_finds_damaged_is_fetched_again(spool: Spool) -> None:
    origin = Origin()
    with pytest.raises(FileHarmed):
        async with spool.borrow("a", origin.opener, most_bytes=10) as file:
            raise FileHarmed("was changed", path=file.path)
    async with spool.borrow("a", origin.opener, most_bytes=10) as again:
        assert again.path.read_bytes() == b"abc"
    assert origin.opened == 2
    assert spool.held_bytes == 3


async def test_a_file_that_vanished_is_fetched_again(spool: Spool) -> None:
    origin = Origin()
    async with spool.borrow("a", origin.opener, most_bytes=10) as file:
        path = file.path
    path.unlink()
    async with spool.borrow("a", origin.opener, most_bytes=10) as again:
        assert again.path.read_bytes() == b"abc"
    assert origin.opened == 2


async def test_a_forgotten_file_goes_unless_it_is_in_use(spool: Spool) -> None:
    async with spool.borrow("a", Origin().opener, most_bytes=10) as file:
        spool.forget("a")
        assert file.path.exists()
    spool.forget("a")
    assert not file.path.exists()
    assert spool.held_bytes == 0
