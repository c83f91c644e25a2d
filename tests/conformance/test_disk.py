"""A disk that fails under an upload is the bridge's own trouble: no adapter takes it for the network's."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.model.adapter import OutboundFile
from bridge.model.capabilities import Feature
from bridge.model.errors import FileHarmed, Scope
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import plain
from tests.conformance.rig import Rig

CONTENT = b"x" * 600_000


def document(folder: Path) -> OutboundFile:
    path = folder / "plan.pdf"
    path.write_bytes(CONTENT)
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="f", name="plan.pdf", mime="application/pdf")
    return OutboundFile(attachment=attachment, path=path, name="plan.pdf", mime="application/pdf", size_bytes=len(CONTENT))


def reads_fail(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """From the second block on."""
    real = os.pread

    def pread(descriptor: int, count: int, at: int) -> bytes:
        if at and os.path.samestat(os.fstat(descriptor), path.stat()):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, count, at)

    monkeypatch.setattr("adapters.common.files.os.pread", pread)


def opening_fails(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        if os.path.samestat(found, path.stat()):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return found

    monkeypatch.setattr("adapters.common.files.os.fstat", fstat)


@pytest.mark.parametrize("fails", [reads_fail, opening_fails])
async def test_a_disk_that_fails_is_told_as_that(
    rig: Rig, tmp_path: Path, fails: Callable[[pytest.MonkeyPatch, Path], Any]
) -> None:
    if not rig.adapter.capabilities.native(Feature.DOCUMENT):
        pytest.skip("no files")
    file = document(tmp_path)
    with pytest.MonkeyPatch.context() as monkeypatch:
        fails(monkeypatch, file.path)
        with pytest.raises(FileHarmed, match="cannot be read") as raised:
            await rig.adapter.send(rig.outbound(plain("look"), files=(file,)))
    assert raised.value.scope is Scope.CHAT
    assert not [message for message in rig.emulator.transcript(rig.chat.chat_id) if "look" in message.text]
    seen = await rig.send(plain("look"), files=(file,))
    assert [(one.name, one.size_bytes) for one in seen.files] == [("plan.pdf", len(CONTENT))]
