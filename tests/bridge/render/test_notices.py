"""The words of visible lines."""

from __future__ import annotations

import pytest

from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import text_of, to_plain
from bridge.render.notices import file_line, human_duration, human_size, reply_lines
from tests.support.strategies import attachment


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_960, "10 kB"),
        (999_499, "999 kB"),
        (999_600, "1.0 MB"),
        (1_234_567_890, "1.2 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes(size_bytes: int, shown: str) -> None:
    assert human_size(size_bytes) == shown


@pytest.mark.parametrize(("duration_s", "shown"), [(0.4, "0:00"), (7, "0:07"), (59.6, "1:00"), (750, "12:30"), (3723, "1:02:03")])
def test_durations(duration_s: float, shown: str) -> None:
    assert human_duration(duration_s) == shown


@pytest.mark.parametrize("kind", AttachmentKind)
def test_every_kind_of_file_has_a_line(kind: AttachmentKind) -> None:
    text = to_plain(file_line(attachment("", kind, size_bytes=None, duration_s=7.0), "gone"))
    assert kind.value.replace("_", " ") in text
    assert text.endswith("(0:07) - gone")


def test_a_sticker_that_cannot_be_drawn_is_named() -> None:
    sticker = Attachment(kind=AttachmentKind.STICKER, file_id="1", name="Wave hello.json")
    assert text_of(file_line(sticker, "only one app can draw it")) == "🏷️ sticker “Wave hello” - only one app can draw it"
    assert text_of(file_line(Attachment(kind=AttachmentKind.STICKER, file_id="1", name="sticker.webp"), "")) == "🏷️ sticker"


def test_a_reply_line_knows_what_it_does_not_know() -> None:
    assert to_plain(reply_lines("", "")) == ""
    assert to_plain(reply_lines(" ", "said")) == "> said"
    assert to_plain(reply_lines("Kim", "")) == "↩ in reply to Kim"
