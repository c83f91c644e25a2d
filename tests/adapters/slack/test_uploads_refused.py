"""A file that Slack refuses is the file's fault: the error says which one, and nothing of the message was posted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.slack.emulator import SlackEmulator
from adapters.slack.errors import classify
from bridge.model.adapter import Outbound, OutboundFile
from bridge.model.errors import FileRejected, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import plain


def file(path: Path, name: str, content: bytes = b"x") -> OutboundFile:
    (path / name).write_bytes(content)
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="origin", name=name)
    return OutboundFile(attachment=attachment, path=path / name, name=name, mime="", size_bytes=len(content))


def outbound(chat: str, *files: OutboundFile) -> Outbound:
    return Outbound(token="tok-1", attempt=1, chat_id=chat, text=plain("words"), files=files)


async def refused(account: Any, emulator: SlackEmulator, *files: OutboundFile) -> FileRejected:
    chat, adapter = account.chat(), account.build()
    with pytest.raises(FileRejected) as caught:
        await adapter.send(outbound(chat, *files))
    assert emulator.transcript(chat) == []
    return caught.value


async def test_empty_files(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    files = (file(tmp_path, "a.txt"), file(tmp_path, "empty.txt", b""), file(tmp_path, "c.txt"), file(tmp_path, "also.txt", b""))
    error = await refused(account, emulator, *files)
    assert error.indexes == (1, 3)
    assert "empty" in error.reason
    assert emulator.calls() == [], "what is known to be refused is not tried"


async def test_the_emulator_refuses_empty_files_too(account: Any, emulator: SlackEmulator) -> None:
    adapter = account.build()
    with pytest.raises(Rejected, match="missing_argument"):
        await adapter._transport.call("files.getUploadURLExternal", {"filename": "a.txt", "length": 0})


async def test_uploads_switched_off(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    emulator.files.allowed = "none"
    error = await refused(account, emulator, file(tmp_path, "a.txt"), file(tmp_path, "b.txt"))
    assert error.indexes == (0,)
    assert "does not take files" in error.reason


async def test_images_only(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    emulator.files.allowed = "images"
    error = await refused(account, emulator, file(tmp_path, "a.png"), file(tmp_path, "b.txt"))
    assert error.indexes == (1,)
    assert "images only" in error.reason


async def test_the_scope_for_files_is_missing(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    emulator.workspace.scopes.discard("files:write")
    error = await refused(account, emulator, file(tmp_path, "a.txt"), file(tmp_path, "b.txt"))
    assert error.indexes == (0, 1)
    assert "files:write" in error.reason


@pytest.mark.parametrize("status", [400, 403, 413, 415, 501])
async def test_the_upload_address_refuses(account: Any, emulator: SlackEmulator, tmp_path: Path, status: int) -> None:
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, status=status, operation="files.upload", times=1, skip=1))
    error = await refused(account, emulator, file(tmp_path, "a.txt"), file(tmp_path, "b.txt"))
    assert error.indexes == (1,)
    assert str(status) in error.reason


@pytest.mark.parametrize("status", [404, 408, 429, 500, 502, 503, 504])
async def test_what_passes_is_no_refusal(account: Any, emulator: SlackEmulator, tmp_path: Path, status: int) -> None:
    chat, adapter = account.chat(), account.build()
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, status=status, operation="files.upload", times=1))
    with pytest.raises(RetryLater):
        await adapter.send(outbound(chat, file(tmp_path, "a.txt")))


@pytest.mark.parametrize(
    "code",
    [
        "file_upload_size_restricted",
        "storage_limit_reached",
        "slack_connect_blocked_file_type",
        "file_not_found",
        "snippet_too_large",
    ],
)
async def test_codes_about_a_file(account: Any, emulator: SlackEmulator, tmp_path: Path, code: str) -> None:
    for method, places in (("files.getUploadURLExternal", (0,)), ("files.completeUploadExternal", ())):
        emulator.api.refusals = {method: code}
        error = await refused(account, emulator, file(tmp_path, "a.txt"))
        assert error.indexes == places
        assert code in error.reason


def test_codes_about_the_message_stay_what_they_are() -> None:
    for method, code in (("files.completeUploadExternal", "invalid_blocks"), ("files.delete", "cant_delete_file")):
        error = classify(method, code)
        assert isinstance(error, Rejected)
        assert not isinstance(error, FileRejected)


async def test_the_rest_goes_without_it(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    """As the core does after such an error."""
    emulator.files.allowed = "images"
    chat, adapter = account.chat(), account.build()
    whole = outbound(chat, file(tmp_path, "a.png"), file(tmp_path, "b.txt"))
    with pytest.raises(FileRejected) as caught:
        await adapter.send(whole)
    kept = tuple(each for at, each in enumerate(whole.files) if at not in caught.value.indexes)
    await adapter.send(msgspec.structs.replace(whole, files=kept))
    [seen] = emulator.transcript(chat)
    assert ([each.name for each in seen.files], seen.text) == (["a.png"], "words")
