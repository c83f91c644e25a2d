"""A local Bot API server's paths: the bot's own directory is read, and nothing else, whatever the server says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.telegram.inbound import local_files
from adapters.telegram.inbound.downloads import relative_path
from bridge.model.errors import Rejected, RetryLater

TOKEN = "123456:AAF-secret"


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """The server's working directory: the bot's own one, another bot's, and what else lies on the disk."""
    for token in (TOKEN, "999:other"):
        (tmp_path / token / "documents").mkdir(parents=True)
        (tmp_path / token / "documents" / "file_1.txt").write_bytes(token.encode())
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("secret")
    return tmp_path


async def content(path: object, *, root: Path | None = None, size: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in local_files.read(str(path), token=TOKEN, files_root=root, size_bytes=size)])


async def test_the_bots_own_files_are_read(server: Path) -> None:
    assert await content(server / TOKEN / "documents" / "file_1.txt") == TOKEN.encode()
    assert await content(server / TOKEN / "documents" / "file_1.txt", size=len(TOKEN)) == TOKEN.encode()
    with pytest.raises(RetryLater, match="17 of 99 bytes"):
        await content(server / TOKEN / "documents" / "file_1.txt", size=99)
    (server / TOKEN / "documents" / "empty").touch()
    assert await content(server / TOKEN / "documents" / "empty", size=0) == b""


async def test_where_the_directory_is_mounted_here(server: Path) -> None:
    root = server / TOKEN
    for path in (f"/srv/api/{TOKEN}/documents/file_1.txt", "documents/file_1.txt", f"{root}/documents/file_1.txt"):
        assert await content(path, root=root) == TOKEN.encode()
    link = server / "mount"
    link.symlink_to(root)
    assert await content(f"/srv/api/{TOKEN}/documents/file_1.txt", root=link) == TOKEN.encode(), "an admin's own link is fine"


@pytest.mark.parametrize("mounted", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        "{server}/{token}/../secret.txt",
        "{server}/{token}/documents/../../secret.txt",
        "{server}/{token}/./../secret.txt",
        "{server}/secret.txt",
        "{server}/999:other/documents/file_1.txt",
        "{server}/{token}/documents/link.txt",
        "{server}/{token}/linked/passwd",
        "{server}/{token}/documents/hard/../../../secret.txt",
        "{server}/{token}/documents",
        "{server}/{token}/documents/",
        "{server}/{token}",
        "{server}/{token}/",
        "{server}/{token}/documents/pipe",
        "{server}/{token}/documents/missing.txt",
        "{server}/{token}/documents/file_1.txt/deeper",
        "{server}/{token}/documents/nul\0.txt",
        "{server}/{token}/" + "x" * 5000,
        "{server}/fake/{token}/passwd",
        "/dev/zero",
        "/proc/self/environ",
        "/etc/passwd",
        "../secret.txt",
        "etc/passwd",
        "file://{server}/secret.txt",
        "",
        "/",
    ],
)
async def test_nothing_else_is_read(server: Path, path: str, mounted: bool) -> None:
    own = server / TOKEN
    (own / "documents" / "link.txt").symlink_to(server / "secret.txt")
    (own / "linked").symlink_to(server / "etc")
    os.mkfifo(own / "documents" / "pipe")
    (server / "fake").mkdir()
    (server / "fake" / TOKEN).symlink_to(server / "etc")
    with pytest.raises(Rejected):
        await content(path.format(server=server, token=TOKEN), root=own if mounted else None)


async def test_no_descriptor_is_left_open(server: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for path in ("documents/file_1.txt", "documents/missing", "documents", "../x", "documents/file_1.txt/x"):
        for root in (None, server / TOKEN):
            try:
                await content(server / TOKEN / path, root=root)
            except Rejected:
                continue
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_shortage_of_this_machine_is_not_the_files_fault(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*args: object, **more: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "open", no_more)
    with pytest.raises(RetryLater, match="Too many open files"):
        await content(server / TOKEN / "documents" / "file_1.txt")


def test_paths_below_the_servers_address() -> None:
    assert relative_path("documents/file_1.txt") == "documents/file_1.txt"
    assert relative_path("documents/file 1#?%.c++") == "documents/file%201%23%3F%25.c%2B%2B"
    with pytest.raises(Rejected, match="local_server: true"):
        relative_path("/var/lib/telegram-bot-api/123:x/documents/file_1.txt")
    for odd in (
        "../../bot123/getMe",
        "a/../b",
        "./a",
        "a//b",
        "https://evil.example/x",
        "//evil.example",
        "a\\b",
        "a\nb",
        "a\0b",
        "C:/x",
    ):
        with pytest.raises(Rejected):
            relative_path(odd)
