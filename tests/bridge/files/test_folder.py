"""The spool deletes its own files and nothing else, whatever folder it is given."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.files.folder import NotASpool, SpoolFolder
from bridge.files.spool import Spool
from bridge.model.adapter import FileStream

OURS = "messenger-bridge-0123456789abcdef-1.spooled"


def tree(root: Path) -> dict[str, bytes | str | None]:
    """Everything below a folder, with what it holds."""
    return {
        str(path.relative_to(root)): os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
    }


@asynccontextmanager
async def content() -> Any:
    async def chunks() -> Any:
        yield b"content"

    yield FileStream(chunks=chunks(), size_bytes=7)


async def use(spool: Spool) -> None:
    spool.open()
    async with spool.borrow("a", content, most_bytes=100) as file:
        assert file.path.read_bytes() == b"content"
        assert file.path.stat().st_mode & 0o777 == 0o600


NAMES = st.sampled_from(["1", "42", "bridge.yaml", "a.journal", ".env", "messenger-bridge-1.spooled", "Ünïcode", OURS + "x"])
TREES = st.recursive(st.binary(max_size=8), lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=6)


def grow(root: Path, given_tree: Any) -> None:
    for name, inner in given_tree.items():
        if isinstance(inner, dict):
            (root / name).mkdir()
            grow(root / name, inner)
        else:
            (root / name).write_bytes(inner)


@given(st.dictionaries(NAMES, TREES, max_size=4), st.integers(0, 2))
async def test_what_the_spool_did_not_make_survives_it(given_tree: Any, left_behind: int) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        root.mkdir()
        grow(root, given_tree)
        before = tree(root)
        for number in range(left_behind):
            (root / f"messenger-bridge-0123456789abcdef-{number}.spooled").write_bytes(b"of a process that was killed")
        spool = Spool(root, 1000)
        try:
            await use(spool)
        except NotASpool:
            pass
        else:
            assert all(name.isdigit() for name in before)
            before_close = set(tree(root))
            assert len(before_close - set(before)) == 1, "what was left behind is gone"
            spool.close()
            assert tree(root) == before
        spool.close()
        assert before.items() <= tree(root).items()
        assert root.is_dir()


async def test_a_folder_made_for_the_spool_goes_with_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a" / "spool", 1000)
    await use(spool)
    spool.close()
    assert not (tmp_path / "a" / "spool").exists()
    (tmp_path / "own").mkdir()
    spool = Spool(tmp_path / "own", 1000)
    await use(spool)
    spool.close()
    assert (tmp_path / "own").is_dir()


@pytest.mark.parametrize("kind", ["link", "file", "link inside", "folder inside", "pipe inside"])
def test_what_is_no_spool(tmp_path: Path, kind: str) -> None:
    place, other = tmp_path / "spool", tmp_path / "other"
    other.mkdir()
    if kind == "link":
        place.symlink_to(other)
    elif kind == "file":
        place.write_bytes(b"a")
    else:
        place.mkdir()
        if kind == "link inside":
            (place / OURS).symlink_to(other)
        elif kind == "folder inside":
            (place / OURS).mkdir()
        else:
            os.mkfifo(place / OURS)
    before = tree(tmp_path) if kind != "pipe inside" else {}
    folder = SpoolFolder(place)
    with pytest.raises(NotASpool, match=r"media\.spool"):
        folder.open()
    folder.close()
    assert kind == "pipe inside" or tree(tmp_path) == before


async def test_a_link_in_the_place_of_a_new_file_is_not_followed(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path / "spool")
    folder.open()
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    path = folder.new_path()
    path.symlink_to(victim)
    with pytest.raises(FileExistsError):
        folder.create(path)
    assert victim.read_bytes() == b"precious"


async def test_a_folder_that_was_tidied_away_is_made_again(tmp_path: Path) -> None:
    import shutil

    spool = Spool(tmp_path / "spool", 1000)
    await use(spool)
    shutil.rmtree(tmp_path / "spool")
    async with spool.borrow("b", content, most_bytes=100) as file:
        assert file.path.read_bytes() == b"content"
    spool.close()


# -- two processes --------------------------------------------------------------------------------------------------------------

OPENS = """
import sys
from pathlib import Path
from bridge.files.folder import SpoolFolder, SpoolInUse
try:
    SpoolFolder(Path(sys.argv[1])).open()
except SpoolInUse as error:
    print(error)
    raise SystemExit(69)
"""


def open_elsewhere(folder: Path) -> subprocess.CompletedProcess[str]:
    """Another process opens the folder and ends."""
    return subprocess.run([sys.executable, "-c", OPENS, str(folder)], capture_output=True, text=True, check=False)


async def test_a_second_process_is_told_and_deletes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool = Spool(folder, 1000)
    spool.open()
    async with spool.borrow("a", content, most_bytes=100) as file:
        second = open_elsewhere(folder)
        assert second.returncode == 69, second
        assert all(said in second.stdout for said in ("media.spool", str(folder), "in use", "of its own"))
        assert file.path.read_bytes() == b"content"
    spool.close()
    assert open_elsewhere(folder).returncode == 0


async def test_a_folder_that_was_tidied_away_and_made_again_is_locked_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool = Spool(folder, 1000)
    spool.open()
    shutil.rmtree(folder)
    async with spool.borrow("a", content, most_bytes=100) as file:
        assert open_elsewhere(folder).returncode == 69
        assert file.path.read_bytes() == b"content"
    spool.close()


def test_a_folder_that_vanishes_while_it_is_opened_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last owner deletes it as it ends: the lock on what is gone would keep nobody out."""
    folder = tmp_path / "spool"
    real = fcntl.flock
    gone: list[Path] = []

    def flock(lock: int, how: int) -> None:
        if not gone:
            gone.append(folder)
            folder.rmdir()
        real(lock, how)

    monkeypatch.setattr("fcntl.flock", flock)
    spool = SpoolFolder(folder)
    spool.open()
    assert gone
    assert folder.is_dir()
    assert open_elsewhere(folder).returncode == 69
    spool.close()
    assert not folder.exists()


def test_a_file_system_without_locks_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(lock: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    folder = SpoolFolder(tmp_path / "spool")
    folder.open()
    with folder.create(folder.new_path()) as file:
        file.write(b"content")
    folder.close()
