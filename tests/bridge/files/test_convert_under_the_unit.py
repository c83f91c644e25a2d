"""Conversions in processes that may do only what systemd's unit of the service allows: no new namespaces, no memory that is both
written and run, and no other system calls."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bridge.files import convert, guards
from bridge.files.convert import Converter
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.media import APNG, GIF, M4A, OGG, PNG, TGS, WEBM, AttachmentKind, Form
from bridge.model.refs import AccountName, ChatRef
from tests.support import media_samples, unit_filter
from tests.support.confined import LANDLOCK_ALONE, SECCOMP_ALONE, restricts

CHAT = ChatRef(AccountName("tg"), "1")
SAMPLES = (
    (media_samples.tgs, TGS, GIF),
    (media_samples.apng, APNG, GIF),
    (media_samples.webp, "image/webp", PNG),
    (media_samples.webm, WEBM, GIF),
    (media_samples.ogg, OGG, M4A),
    (media_samples.m4a, M4A, OGG),
)

pytestmark = pytest.mark.skipif(
    not unit_filter.numbers() or shutil.which("systemd-analyze") is None,
    reason="needs systemd-analyze and the headers of Linux, on x86_64",
)


async def test_each_kind_is_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "_CHILD", unit_filter.code() + convert._CHILD)
    converter, path = Converter(SYSTEM_CLOCK), tmp_path / "source"
    for make, source, wanted in SAMPLES:
        path.write_bytes(make())
        made = await converter.convert(path, source, Form(kind=AttachmentKind.STICKER, mime=wanted), CHAT)
        assert made.data, source


def test_they_have_no_network_and_no_files_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "_PROBE", unit_filter.code() + guards._PROBE)
    found = guards.probed()
    assert found.missing["namespaces"] == "Operation not permitted"
    assert ("seccomp" in found.network) is restricts(SECCOMP_ALONE)
    assert ("Landlock" in found.files) is restricts(LANDLOCK_ALONE)
