"""Links to files: what they open, for how long, and that nobody but the bridge can make one, or read it."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.files.links import LONGEST_URL, ROOT, FileLinks, Purpose, Seal, kept_seal, slug_of
from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.refs import AccountName, ChatRef, MessageRef
from tests.support.clock import ManualClock

BASE = "https://bridge.example.com/below"
MESSAGE = MessageRef(ChatRef(AccountName("tg"), "-1001234567890"), "4711")
CLIP = Attachment(
    kind=AttachmentKind.VIDEO, file_id="BAACAgIAAxkBAAI", unique_id="AgADzw", name="Отпуск 2026.mp4", mime="video/mp4", size_bytes=9
)
KEY = bytes(range(64))


def links(clock: ManualClock | None = None, *, key: bytes = KEY, days: float = 7.0) -> FileLinks:
    return FileLinks(Seal(key), BASE, clock or ManualClock(), days=lambda: days, most_bytes=1000)


def path(url: str) -> str:
    assert url.startswith(f"{BASE}{ROOT}")
    return url.removeprefix(BASE)


def test_a_link_says_what_it_opens_and_when_it_ends() -> None:
    clock = ManualClock()
    made = links(clock)
    url = made.url(MESSAGE, CLIP)
    assert url.endswith("/2026.mp4")
    grant = made.read(path(url))
    assert grant is not None
    assert (grant.message, grant.file_id, grant.name, grant.mime, grant.size_bytes) == (
        MESSAGE,
        CLIP.file_id,
        "Отпуск 2026.mp4",
        "video/mp4",
        9,
    )
    assert grant.is_of(CLIP)
    assert not grant.is_of(Attachment(kind=CLIP.kind, file_id=CLIP.file_id, unique_id="another"))
    assert timedelta(days=7) <= grant.ends_at - clock.now() <= timedelta(days=7, hours=1)
    assert not made.is_over(grant)
    clock.forward((grant.ends_at - clock.now()).total_seconds() - 1)
    assert not made.is_over(grant)
    clock.forward(1)
    assert made.is_over(grant)


def test_nothing_can_be_read_from_a_link() -> None:
    url = links().url(MESSAGE, CLIP)
    sealed = path(url).split("/")[2]
    raw = base64.urlsafe_b64decode(sealed + "==")
    for hidden in (b"tg", b"1001234567890", b"4711", b"BAAC", "Отпуск".encode()):
        assert hidden not in raw
        assert hidden.decode() not in url


@given(st.data())
def test_a_changed_link_opens_nothing(data: st.DataObject) -> None:
    made = links()
    good = path(made.url(MESSAGE, CLIP))
    at = data.draw(st.integers(len(ROOT), len(good) - 1))
    letter = data.draw(st.characters(exclude_characters=good[at]))
    changed = good[:at] + letter + good[at + 1 :]
    read = made.read(changed)
    # the last letter of base64 has bits that mean nothing
    assert read is None or (changed.split("/")[3] == good.split("/")[3] and read == made.read(good))


@pytest.mark.parametrize(
    "odd",
    ["", "/files/", "/files//", "/files/x", "/files/x/y", "/files/ä/y", "/files/" + "A" * 9000 + "/y", "/in/x/y", "/files/A/y/z"],
)
def test_what_is_no_link_opens_nothing(odd: str) -> None:
    assert links().read(odd) is None


def test_another_key_or_purpose_opens_nothing() -> None:
    good = path(links().url(MESSAGE, CLIP))
    assert links(key=bytes(64)).read(good) is None
    seal = Seal(KEY)
    grant = links().read(good)
    assert grant is not None
    slug = good.rpartition("/")[2]
    assert links().read(f"{ROOT}{seal.make(Purpose.FACE, grant, slug)}/{slug}") is None
    assert links().read(f"{ROOT}{seal.make(Purpose.FILE, grant, slug)}/{slug}") == grant


def test_there_is_no_link_where_none_can_be_served() -> None:
    assert links(days=0).url(MESSAGE, CLIP) == ""
    for other in (
        Attachment(kind=CLIP.kind, file_id=""),
        Attachment(kind=CLIP.kind, file_id="f", problem="too large"),
        Attachment(kind=CLIP.kind, file_id="f", size_bytes=1001),
        Attachment(kind=CLIP.kind, file_id="f" * LONGEST_URL),
    ):
        assert links().url(MESSAGE, other) == ""
    assert links().url(MESSAGE, Attachment(kind=CLIP.kind, file_id="f", size_bytes=1000))
    assert links().url(MESSAGE, Attachment(kind=CLIP.kind, file_id="f"))


@given(st.text(max_size=300))
def test_the_name_in_a_url_is_plain(name: str) -> None:
    slug = slug_of(name)
    assert slug
    assert len(slug) <= 60
    assert slug.isascii()
    assert set(slug) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    assert slug[0] not in "._-"


async def test_the_key_is_kept(tmp_path: Path) -> None:
    async def made_there() -> str:
        journal = SqliteJournal(tmp_path / "bridge.journal")
        await journal.open()
        try:
            seal = await kept_seal(journal)
        finally:
            await journal.close()
        return FileLinks(seal, BASE, ManualClock(), days=lambda: 1, most_bytes=1000).url(MESSAGE, CLIP)

    assert await made_there() == await made_there() != path(links(days=1).url(MESSAGE, CLIP))


def test_no_sealed_value_ends_with_a_dash() -> None:
    """Telegram takes the name behind `-/` for a command, and what guards against that breaks the link."""
    made = links()
    seen: set[str] = set()
    for number in range(400):
        url = made.url(MESSAGE, Attachment(kind=CLIP.kind, file_id=f"file-{number}", name="report.bin"))
        seen.add(path(url).split("/")[2][-1])
        grant = made.read(path(url))
        assert grant is not None
        assert grant.file_id == f"file-{number}"
    assert "-" not in seen
    assert len(seen) > 3
