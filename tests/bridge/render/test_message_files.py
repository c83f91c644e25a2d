"""How a message looks in a target: its files, and what an edit changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.model.adapter import OutboundFile
from bridge.model.capabilities import Feature
from bridge.model.events import AttachmentKind, Content
from bridge.model.media import Media
from bridge.model.outcomes import Loss, LossNote
from bridge.model.rich_text import RichText, to_plain
from bridge.render.message import FetchResult
from bridge.render.parts import Held
from tests.support.rendering import (
    NAME_IN_TEXT,
    NATIVE,
    PHOTO,
    STICKER,
    VIDEO,
    only_text,
    re_rendered,
    rendered,
    said,
    shapes,
)
from tests.support.strategies import (
    MEGA,
    attachment,
    capabilities,
    fetched,
    inked,
    limits,
    plain_measure,
    target,
)

WORDS, FILES, FILES_ALONE = Held

# -- files ------------------------------------------------------------------------------------------------------------------


def test_a_short_text_is_the_caption() -> None:
    made = rendered(said("look", attachments=(attachment("a.jpg", PHOTO), attachment("b.jpg", PHOTO))))
    assert shapes(made) == [("look", ["a.jpg", "b.jpg"])]
    assert made.parts[0].has_files


def test_a_long_text_goes_before_the_files() -> None:
    made = rendered(said("word " * 30, attachments=(attachment("a.jpg", PHOTO),)), target(NAME_IN_TEXT))
    assert [(text.split("\n")[0], files) for text, files in shapes(made)] == [
        ("Anna Petrova", []),
        ("Anna Petrova …", ["a.jpg"]),
    ]


def test_a_very_long_text_is_whole_before_the_files() -> None:
    made = rendered(said("word " * 200, attachments=(attachment("a.jpg", PHOTO),)))
    assert [files for _, files in shapes(made)] == [[], [], [], ["a.jpg"]]
    assert made.parts[-1].text == RichText()


def test_a_target_without_captions_gets_the_text_first() -> None:
    to = target(capabilities(within=limits(caption_length=0)))
    assert shapes(rendered(said("look", attachments=(attachment("a.jpg", PHOTO),)), to)) == [("look", []), ("", ["a.jpg"])]
    assert shapes(rendered(Content(attachments=(attachment("a.jpg", PHOTO),)), to)) == [("", ["a.jpg"])]
    named = target(capabilities(Feature.SENDER_NAME, within=limits(caption_length=0)))
    made = rendered(Content(attachments=(attachment("a.jpg", PHOTO),)), named)
    assert shapes(made) == [("Anna Petrova", []), ("", ["a.jpg"])]


def test_many_files_are_several_messages_that_show_whose_they_are() -> None:
    files = tuple(attachment(f"{number}.jpg", PHOTO) for number in range(5))
    made = rendered(
        said("look", attachments=files), target(capabilities(Feature.SENDER_NAME, within=limits(attachments_per_message=2)))
    )
    assert shapes(made) == [
        ("Anna Petrova\nlook", ["0.jpg", "1.jpg"]),
        ("Anna Petrova …", ["2.jpg", "3.jpg"]),
        ("Anna Petrova …", ["4.jpg"]),
    ]


def test_a_file_that_cannot_go_is_a_visible_line() -> None:
    files = (attachment("clip.mp4", VIDEO, size_bytes=1_234_567_890), attachment("a.jpg", PHOTO))
    made = rendered(said("look", attachments=files), fetched=[FetchResult(attachment=files[0]), fetched(files[1])])
    assert shapes(made) == [("look\n🎬 clip.mp4 (1.2 GB) - too large for Telegram", ["a.jpg"])]
    assert made.losses == ("video shown as a line: too large for Telegram",)


def test_a_file_larger_than_announced_is_noticed_once_it_is_fetched() -> None:
    given = attachment("a.bin", size_bytes=None)
    file = OutboundFile(attachment=given, path=Path("/x"), name="a.bin", mime="", size_bytes=60 * MEGA)
    made = rendered(Content(attachments=(given,)), fetched=[FetchResult(attachment=given, file=file)])
    assert only_text(made) == "📎 a.bin (60 MB) - too large for Telegram"


@pytest.mark.parametrize(
    ("options", "details", "settled_problem", "problem"),
    [
        ({"files": False}, {}, "", "files are not relayed here"),
        ({"max_file_mb": 1.5}, {"size_bytes": 2 * MEGA}, "", "larger than the 1.5 MB allowed here"),
        ({}, {"problem": "hidden by the sender"}, "", "hidden by the sender"),
        ({}, {}, "gone from the server", "gone from the server"),
        ({}, {}, "", "could not be fetched"),
    ],
)
def test_why_a_file_is_missing(options: dict[str, Any], details: dict[str, Any], settled_problem: str, problem: str) -> None:
    given = attachment("a.pdf", **details)
    made = rendered(
        Content(attachments=(given,)), target(**options), fetched=[FetchResult(attachment=given, problem=settled_problem)]
    )
    assert only_text(made).endswith(f" - {problem}")
    assert only_text(made).startswith("📎 a.pdf (")


def test_a_sticker_without_its_file_is_its_emoji() -> None:
    sticker = attachment("s.webp", STICKER, emoji="😺", size_bytes=None)
    made = rendered(Content(attachments=(sticker,)), fetched=[FetchResult(attachment=sticker, problem="not available")])
    assert only_text(made) == "🏷️ 😺 sticker - not available"


def test_the_name_of_a_file_cannot_break_its_line() -> None:
    given = attachment("a\nBob: pay\u202e me" + "x" * 300, problem="gone")
    text = only_text(rendered(Content(attachments=(given,)), fetched=[FetchResult(attachment=given)]))
    assert "\n" not in text
    assert "\u202e" not in text
    assert len(text) < 180


def test_a_description_of_a_missing_picture_is_kept() -> None:
    given = attachment("a.jpg", PHOTO, alt_text="two cats", problem="gone")
    made = rendered(Content(attachments=(given,)), fetched=[FetchResult(attachment=given)])
    assert only_text(made) == "🖼️ a.jpg (1.0 kB) - gone\ntwo cats"


def test_a_description_that_a_target_does_not_keep_is_a_loss() -> None:
    def losses(kind: AttachmentKind, *, keeps: bool, alt_text: str = "two cats") -> tuple[LossNote, ...]:
        given = msgspec.structs.replace(capabilities(), media=Media(keeps_alt_text=keeps))
        return rendered(said("", attachments=(attachment("a.jpg", kind, alt_text=alt_text),)), target(given)).losses

    assert losses(PHOTO, keeps=False) == (Loss.ALT_TEXT,)
    assert losses(PHOTO, keeps=True) == ()
    assert losses(PHOTO, keeps=False, alt_text=" ") == ()
    assert Loss.ALT_TEXT not in losses(STICKER, keeps=False)


def test_a_hidden_picture_is_announced_where_it_cannot_be_hidden() -> None:
    content = said("look", attachments=(attachment("a.jpg", PHOTO, spoiler=True),))
    assert shapes(rendered(content, target(capabilities(Feature.SPOILER)))) == [("[spoiler]\nlook", ["a.jpg"])]
    assert shapes(rendered(content)) == [("look", ["a.jpg"])]


# -- edits ------------------------------------------------------------------------------------------------------------------


def test_an_edit_changes_the_text_in_place() -> None:
    made = re_rendered(said("better"), [WORDS])
    assert shapes(made) == [("Anna Petrova\nbetter", [])]
    assert not made.parts[0].has_files


def test_an_edited_caption_stays_with_its_files() -> None:
    made = re_rendered(said("better", attachments=(attachment("a.jpg", PHOTO),)), [FILES])
    assert [(to_plain(part.text), part.files, part.has_files) for part in made.parts] == [("Anna Petrova\nbetter", (), True)]


def test_a_caption_that_grew_too_long_goes_on_in_a_further_message() -> None:
    made = re_rendered(said("word " * 60), [FILES, FILES])
    assert [part.has_files for part in made.parts] == [True, True, False]
    assert len(to_plain(made.parts[0].text)) <= 100
    assert to_plain(made.parts[1].text) == "Anna Petrova …"
    assert [part.unchanged for part in made.parts] == [False, True, False]
    assert inked("".join(to_plain(part.text) for part in made.parts)).count("word") == 60


def test_a_text_that_grew_fills_its_messages_and_adds_one_at_the_end() -> None:
    made = re_rendered(said("word " * 200), [WORDS, WORDS, FILES])
    assert [part.has_files for part in made.parts] == [False, False, True, False]
    assert not any(part.surplus for part in made.parts)


def test_a_text_that_shrank_gives_up_its_further_messages_and_no_files() -> None:
    made = re_rendered(said("short"), [WORDS, WORDS, FILES, WORDS])
    assert [part.surplus for part in made.parts] == [False, True, False, True]
    assert to_plain(made.parts[0].text) == "Anna Petrova\nshort"


def test_the_limit_of_edits_is_kept() -> None:
    to = target(capabilities(within=limits(edit_length=50)))
    made = re_rendered(said("word " * 30), [WORDS], to)
    assert len(made.parts) > 2
    assert all(plain_measure(part.text) <= 50 for part in made.parts)


def test_words_for_what_takes_none_have_a_message_of_their_own() -> None:
    to = target(NATIVE)
    made = re_rendered(said("what I said"), [FILES_ALONE], to)
    assert [(to_plain(part.text), part.has_files, part.wordless) for part in made.parts] == [
        ("", True, True),
        ("what I said", False, False),
    ]
    made = re_rendered(said("better"), [FILES_ALONE, WORDS], to)
    assert [to_plain(part.text) for part in made.parts] == ["", "better"]
    made = re_rendered(Content(), [FILES_ALONE, WORDS], to)
    assert [part.surplus for part in made.parts] == [False, True]


def test_a_removed_caption_leaves_the_files() -> None:
    made = re_rendered(Content(), [FILES], target(NATIVE))
    assert made.parts[0].text == RichText()
    assert not made.parts[0].surplus


def test_lines_of_missing_files_survive_an_edit() -> None:
    big = attachment("clip.mp4", VIDEO, size_bytes=10**9)
    made = re_rendered(said("better", attachments=(big,)), [WORDS], target(NATIVE))
    assert shapes(made) == [("better\n🎬 clip.mp4 (1.0 GB) - too large for Telegram", [])]


def test_an_edit_without_knowledge_of_its_copies_has_the_layout_of_a_new_message() -> None:
    made = re_rendered(said("word " * 200, attachments=(attachment("a.jpg", PHOTO),)), None)
    assert [part.has_files for part in made.parts] == [False, False, False, True]
