"""The file storage: what is known of a file, large ones on disk, a bounded number of them."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Iterator

import pytest

from adapters.telegram.emulator import files
from adapters.telegram.emulator.files import FileStore, image_size


@pytest.fixture
def store() -> Iterator[FileStore]:
    made = FileStore()
    yield made
    made.close()


def test_size_type_and_checksum_are_the_contents(store: FileStore) -> None:
    stored = store.add("a.txt", "", b"abc")
    assert (stored.size_bytes, stored.mime, stored.read()) == (3, "text/plain", b"abc")
    assert stored.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert store.get(stored.file_id) is stored


def test_a_download_path_is_given_once_and_leads_to_the_file(store: FileStore) -> None:
    stored = store.add("a", "image/jpeg", b"abc")
    path = store.publish_path(stored, "photo")
    assert path.startswith("photos/file_")
    assert path.endswith(".jpg")
    assert store.publish_path(stored, "document") == path
    assert store.at_path(path) is stored
    assert store.on_disk(stored, "token").read_bytes() == b"abc"


async def test_a_large_upload_is_on_disk_and_one_that_breaks_off_leaves_nothing(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MEMORY_BYTES", 4)

    async def chunks(*, broken: bool) -> AsyncIterator[bytes]:
        yield b"123"
        yield b"456"
        if broken:
            raise ConnectionError

    stored = await store.receive("a.bin", "", chunks(broken=False))
    assert stored.path is not None
    assert stored.read() == b"123456"
    with pytest.raises(ConnectionError):
        await store.receive("b.bin", "", chunks(broken=True))
    assert list(stored.path.parent.iterdir()) == [stored.path]
    store.close()
    assert not stored.path.exists()


def test_the_oldest_file_is_forgotten(store: FileStore) -> None:
    store.kept = 2
    first, *others = [store.add(f"{number}", "", b"x") for number in range(3)]
    assert store.get(first.file_id) is None
    assert all(store.get(one.file_id) is one for one in others)


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 3, 2), (3, 2)),
        (b"GIF89a" + struct.pack("<HH", 3, 2), (3, 2)),
        (b"no picture", (0, 0)),
        (b"", (0, 0)),
    ],
)
def test_the_size_of_a_picture(head: bytes, size: tuple[int, int]) -> None:
    assert image_size(head) == size
