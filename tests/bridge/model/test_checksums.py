"""Checksums by blocks, and the reader that checks them: nothing but the file's own bytes ever comes out."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.common.files import CheckedFile, harm_in
from bridge.model.adapter import OutboundFile
from bridge.model.checksums import BLOCK_BYTES, BlockSums, is_block
from bridge.model.errors import FileHarmed
from bridge.model.events import Attachment, AttachmentKind

CONTENT = bytes(range(251)) * (3 * BLOCK_BYTES // 251)


def sums_of(content: bytes) -> bytes:
    sums = BlockSums()
    sums.add(content)
    return sums.sums()


def outbound(path: Path, content: bytes, sums: bytes | None = None) -> OutboundFile:
    return OutboundFile(
        attachment=Attachment(kind=AttachmentKind.DOCUMENT, file_id="x"),
        path=path,
        name="f",
        mime="",
        size_bytes=len(content),
        block_sums=sums_of(content) if sums is None else sums,
    )


@given(st.lists(st.integers(0, 2 * BLOCK_BYTES), max_size=8))
def test_the_sums_do_not_depend_on_the_pieces(lengths: list[int]) -> None:
    sums, at = BlockSums(), 0
    for length in lengths:
        sums.add(CONTENT[at : at + length])
        at = min(at + length, len(CONTENT))
    whole = sums.sums()
    assert whole == sums_of(CONTENT[:at])
    assert len(whole) == 4 * -(-at // BLOCK_BYTES)
    assert all(is_block(whole, index, CONTENT[:at][index * BLOCK_BYTES :][:BLOCK_BYTES]) for index in range(len(whole) // 4))


@pytest.mark.parametrize("length", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, len(CONTENT)])
def test_a_file_reads_as_it_was_written(tmp_path: Path, length: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(CONTENT[:length])
    for sums in (None, b""):
        with io.BufferedReader(CheckedFile(outbound(path, CONTENT[:length], sums))) as file:
            assert file.read() == CONTENT[:length]
            assert file.read(1) == b""
            assert file.seek(0) == 0
            assert b"".join(iter(lambda: file.read(70_001), b"")) == CONTENT[:length]


@given(st.lists(st.tuples(st.integers(0, len(CONTENT) + 10), st.integers(1, 3 * BLOCK_BYTES)), min_size=1, max_size=8))
def test_any_place_can_be_read(tmp_path_factory: pytest.TempPathFactory, reads: list[tuple[int, int]]) -> None:
    path = tmp_path_factory.getbasetemp() / "any-place"
    if not path.exists():
        path.write_bytes(CONTENT)
    with CheckedFile(outbound(path, CONTENT)) as raw, io.BufferedReader(raw) as file:
        for at, length in reads:
            assert file.seek(at) == at
            assert file.read(length) == CONTENT[at : at + length]
        assert file.seek(-3, io.SEEK_END) == len(CONTENT) - 3
        assert file.read() == CONTENT[-3:]


@given(st.integers(0, len(CONTENT) - 1), st.integers(0, 7))
def test_one_bit_is_noticed_before_its_block_leaves(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    path = tmp_path_factory.mktemp("bit") / "f"
    harmed = bytearray(CONTENT)
    harmed[at] ^= 1 << bit
    path.write_bytes(harmed)
    got = b""
    with CheckedFile(outbound(path, CONTENT)) as file, pytest.raises(FileHarmed) as raised:
        while chunk := file.read(100_000):
            got += chunk
    assert raised.value.path == path
    assert str(path) not in str(raised.value)
    assert got == CONTENT[: at // BLOCK_BYTES * BLOCK_BYTES]


@pytest.mark.parametrize("length", [0, len(CONTENT) - 1, len(CONTENT) + 1])
def test_another_length_is_noticed_at_once(tmp_path: Path, length: int) -> None:
    path = tmp_path / "f"
    path.write_bytes((CONTENT + b"x")[:length])
    with pytest.raises(FileHarmed, match="bytes instead of"):
        CheckedFile(outbound(path, CONTENT))


def test_a_file_cut_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(CONTENT)
    with CheckedFile(outbound(path, CONTENT)) as file:
        file.read(BLOCK_BYTES)
        path.write_bytes(CONTENT[: BLOCK_BYTES + 5])
        with pytest.raises(FileHarmed):
            file.read(BLOCK_BYTES)


def test_harm_is_found_in_what_others_made_of_it() -> None:
    harm = FileHarmed("is not what was fetched", path=Path("f"))
    wrapped, again = ConnectionError("cannot write"), RuntimeError("no answer")
    wrapped.__cause__, again.__context__ = harm, wrapped
    assert harm_in(harm) is harm_in(again) is harm
    assert harm_in(ValueError()) is None
