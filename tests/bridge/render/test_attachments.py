"""Which files go, as what, and which of them together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.adapter import OutboundFile
from bridge.model.capabilities import Feature, Support
from bridge.model.events import AttachmentKind
from bridge.render.attachments import as_sendable_kind, grouped, takes_caption, why_unsendable
from tests.support.strategies import FILE_KINDS, MEGA, attachment, capabilities, fetched, limits, target

K = AttachmentKind


def file(name: str, kind: AttachmentKind = K.DOCUMENT, **details: object) -> OutboundFile:
    made = fetched(attachment(name, kind, **details)).file
    assert made
    return made


def kind_sent(
    kind: AttachmentKind, *lacking: Feature, same_platform: bool = False, mime: str = "", size_bytes: int = 10
) -> AttachmentKind:
    to = target(capabilities(*lacking, within=limits(photo_bytes=5 * MEGA)))
    return as_sendable_kind(file("f", kind, mime=mime, size_bytes=size_bytes), to, same_platform=same_platform).attachment.kind


@pytest.mark.parametrize(
    ("kind", "lacking", "sent"),
    [
        (K.PHOTO, (), K.PHOTO),
        (K.PHOTO, (Feature.PHOTO,), K.DOCUMENT),
        (K.VOICE, (Feature.VOICE,), K.AUDIO),
        (K.VOICE, (Feature.VOICE, Feature.AUDIO), K.DOCUMENT),
        (K.ANIMATION, (Feature.ANIMATION,), K.VIDEO),
        (K.VIDEO, (Feature.VIDEO,), K.DOCUMENT),
        (K.VIDEO_NOTE, (), K.VIDEO),
        (K.DOCUMENT, (), K.DOCUMENT),
    ],
)
def test_the_next_best_kind(kind: AttachmentKind, lacking: tuple[Feature, ...], sent: AttachmentKind) -> None:
    assert kind_sent(kind, *lacking) is sent


@pytest.mark.parametrize(
    ("mime", "same_platform", "sent"),
    [
        ("image/webp", True, K.STICKER),
        ("image/webp", False, K.PHOTO),
        ("image/png", False, K.PHOTO),
        ("application/x-tgsticker", False, K.DOCUMENT),
        ("image/gif", False, K.ANIMATION),
        ("video/webm", False, K.ANIMATION),
    ],
)
def test_a_sticker_is_one_only_on_its_own_platform(mime: str, same_platform: bool, sent: AttachmentKind) -> None:
    assert kind_sent(K.STICKER, mime=mime, same_platform=same_platform) is sent


def test_a_photo_too_large_for_a_photo_is_a_document() -> None:
    assert kind_sent(K.PHOTO, size_bytes=5 * MEGA) is K.PHOTO
    assert kind_sent(K.PHOTO, size_bytes=5 * MEGA + 1) is K.DOCUMENT
    assert kind_sent(K.STICKER, mime="image/png", size_bytes=6 * MEGA) is K.DOCUMENT


def test_what_can_go_has_no_refusal() -> None:
    assert why_unsendable(attachment("a", size_bytes=50 * MEGA), target()) == ""
    assert why_unsendable(attachment("a", size_bytes=None), target()) == ""


def test_refusals() -> None:
    assert why_unsendable(attachment("a", size_bytes=50 * MEGA + 1), target()) == "too large for Telegram"
    assert why_unsendable(attachment("a"), target(capabilities(*FILE_KINDS))) == "Telegram takes no such files"
    assert why_unsendable(attachment("a"), target(max_file_mb=0.0001)) == "larger than the 0.0001 MB allowed here"


def names(groups: list[tuple[OutboundFile, ...]]) -> list[str]:
    return ["".join(one.name for one in group) for group in groups]


MIXED = [file("a", K.PHOTO), file("b", K.VIDEO), file("c"), file("d"), file("e", K.VOICE), file("f", K.VOICE), file("g", K.PHOTO)]


@pytest.mark.parametrize(
    ("level", "most", "expected"),
    [
        (Support.FULL, 10, ["abcdefg"]),
        (Support.FULL, 3, ["abc", "def", "g"]),
        (Support.PARTIAL, 10, ["ab", "cd", "e", "f", "g"]),
        (Support.CONVERTED, 10, list("abcdefg")),
        (Support.DROPPED, 10, list("abcdefg")),
        (Support.FULL, 1, list("abcdefg")),
    ],
)
def test_albums(level: Support, most: int, expected: list[str]) -> None:
    given_capabilities = capabilities(levels={Feature.ALBUM: level}, within=limits(attachments_per_message=most))
    assert names(grouped(MIXED, given_capabilities)) == expected


def test_stickers_and_round_videos_go_alone_and_without_caption() -> None:
    files = [file("a", K.PHOTO), file("s", K.STICKER), file("n", K.VIDEO_NOTE), file("b", K.PHOTO)]
    groups = grouped(files, capabilities())
    assert names(groups) == ["a", "s", "n", "b"]
    assert [takes_caption(group, capabilities()) for group in groups] == [True, False, False, True]


@given(st.lists(st.sampled_from(AttachmentKind), max_size=30), st.sampled_from(Support), st.integers(1, 10))
def test_every_file_once_and_in_order(kinds: list[AttachmentKind], level: Support, most: int) -> None:
    files = [file(str(number), kind) for number, kind in enumerate(kinds)]
    groups = grouped(files, capabilities(levels={Feature.ALBUM: level}, within=limits(attachments_per_message=most)))
    assert [one for group in groups for one in group] == files
    assert all(0 < len(group) <= most for group in groups)
