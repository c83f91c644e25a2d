"""Which texts are nothing but custom emoji, and what their pictures are."""

from __future__ import annotations

import pytest

from adapters.common.custom_emoji import only_emoji, picture
from bridge.model.events import AttachmentKind
from bridge.model.rich_text import EMPTY, Emoji, Inline, Paragraph, Quote, RichText, Text

PARROT, WAVE = Emoji("parrot", "1"), Emoji("wave", "2", "👋")


def text(*inlines: Inline) -> RichText:
    return RichText((Paragraph(inlines),))


@pytest.mark.parametrize(
    ("rich", "found"),
    [
        (text(PARROT), 1),
        (text(PARROT, Text(" "), WAVE, Text("\n"), PARROT), 3),
        (text(Text(" "), PARROT, Text(" ")), 1),
        (text(PARROT, PARROT, PARROT, PARROT), 0),
        (text(PARROT, Text("!")), 0),
        (text(Text(" ")), 0),
        (text(Emoji("elsewhere")), 0),
        (EMPTY, 0),
        (RichText((Paragraph((PARROT,)), Paragraph((PARROT,)))), 0),
        (RichText((Quote((Paragraph((PARROT,)),)),)), 0),
        (text(*[PARROT] * 10_000), 0),
    ],
)
def test_only_a_few_and_nothing_else(rich: RichText, found: int) -> None:
    assert len(only_emoji(rich)) == found


def test_a_picture_is_a_sticker_of_that_name() -> None:
    shown = picture(PARROT, "emoji/1.gif", "gif")
    assert shown is not None
    assert (shown.kind, shown.name, shown.mime, shown.alt_text, shown.unique_id) == (
        AttachmentKind.STICKER,
        "parrot.gif",
        "image/gif",
        ":parrot:",
        "emoji/1",
    )
    assert picture(PARROT, "x", "svg") is None
    assert picture(PARROT, "x", "") is None
