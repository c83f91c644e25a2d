"""Text between Slack's forms and the bridge's: rules that hold for all input, and Slack's own shapes."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack import emoji_names
from adapters.slack.capabilities import TEXT_LENGTH, capabilities
from adapters.slack.emoji_table import EMOJI_TABLE
from adapters.slack.emulator import emoji as emulator_emoji
from adapters.slack.emulator.render import show
from adapters.slack.emulator.rules import check_blocks
from adapters.slack.inbound.decode_mrkdwn import decode_mrkdwn
from adapters.slack.inbound.decode_text import decode_text
from adapters.slack.names import NO_NAMES
from adapters.slack.outbound.encode import message_blocks
from adapters.slack.outbound.encode_text import MAX_FALLBACK, escape, fallback_text, measure, rich_text_elements
from bridge.model.rich_text import (
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    map_inlines,
    normalize,
    plain,
    text_of,
)
from bridge.render.degrade import degrade
from bridge.render.split import split
from tests.support.budget import examples
from tests.support.lists import labels, mixed_lists

HOSTILE = [
    "<!channel>",
    "<@U123>",
    "@here",
    ":wave:",
    "*b*",
    "_i_",
    "`c`",
    "```",
    "&lt;",
    "<http://x|y>",
    "> q",
    "\n",
    "~s~",
    "&",
    "#c",
]
# without control characters and lone surrogates: those the tree itself does not keep (bridge.model.characters)
characters = st.characters(exclude_categories=("Cc", "Cn", "Cs", "Zl", "Zp"), include_characters="\n\t")
words = st.one_of(st.text(characters, max_size=12), st.sampled_from(HOSTILE))
texts = st.lists(words, max_size=12).map(" ".join)
marks = st.integers(0, 31)


def encoded(rich: RichText) -> bytes:
    return msgspec.json.encode(message_blocks(rich, "mb-x"))


def back(rich: RichText) -> RichText:
    return decode_text("", encoded(rich), NO_NAMES)


@given(texts)
def test_plain_text_survives(text: str) -> None:
    rich = normalize(plain(text))
    assert text_of(back(rich)) == text_of(rich)
    assert map_inlines(back(rich), _without_own_link) == rich


def _without_own_link(inline: Inline) -> Inline:
    """An address in a text leads to itself, as it does in every messenger."""
    return Text(inline.text, inline.marks) if isinstance(inline, Text) and inline.link == inline.text else inline


@given(texts)
def test_plain_text_survives_by_the_fallback_too(text: str) -> None:
    """Other apps and notifications read `text`: there, too, foreign text holds no mention, link or broadcast."""
    shown = fallback_text(plain(text))
    assert "<" not in shown
    assert ">" not in shown
    if len(escape(text)) <= MAX_FALLBACK:
        assert shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@given(texts)
def test_foreign_text_is_shown_as_it_is(text: str) -> None:
    blocks = message_blocks(normalize(plain(text)), "mb-x")
    shown = show("", blocks, lambda any_id: "somebody")
    assert shown.text == text
    as_shown = re.sub(r'<a href="([^"]*)">\1</a>', r"\1", shown.html)
    assert not set(re.findall(r"<(\w+)", as_shown)) - {"div", "br"}


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://e.example/a_(b), and (http://x.example/z).", ["https://e.example/a_(b)", "http://x.example/z"]),
        ("https://e.example/?q=1&b=2#f", ["https://e.example/?q=1&b=2#f"]),
        ("<https://e.example|label>", ["https://e.example"]),
        ("no://link, https:// neither, nor me@https://e.example", []),
    ],
)
def test_addresses_can_be_clicked(text: str, links: list[str]) -> None:
    """Slack makes no link of an address in a rich_text block."""
    (section,) = rich_text_elements(plain(text))
    assert [leaf["url"] for leaf in section["elements"] if leaf["type"] == "link"] == links
    assert "".join(leaf.get("text") or leaf["url"] for leaf in section["elements"]) == text
    code = RichText((Paragraph((Text(text, int(Mark.CODE)),)),))
    assert all(leaf["type"] == "text" for leaf in rich_text_elements(code)[0]["elements"])


inlines = st.one_of(
    st.builds(
        Text,
        words,
        marks,
        st.sampled_from([None, "https://example.com/a?b=c", "javascript:x", "mailto:a@b.c"]),
    ),
    st.builds(
        Mention,
        st.sampled_from(MentionKind),
        st.sampled_from(["U1", "C1", "S1", "", "<@U1>"]),
        st.sampled_from(["here", "Anna"]),
        marks,
    ),
    st.builds(Emoji, st.just("party"), st.sampled_from(["", "party", "a:b"]), st.sampled_from(["", "🎉"])),
    st.builds(Timestamp, st.integers(0, 4_000_000_000), st.sampled_from(["", "then"]), st.sampled_from(["", "R", "z"])),
)
runs = st.lists(inlines, max_size=6).map(tuple)
items = st.lists(st.builds(ListItem, runs, st.integers(0, 3)), min_size=1, max_size=5).map(tuple)
inner = st.one_of(
    st.builds(Paragraph, runs),
    st.builds(Heading, st.integers(1, 6), runs),
    st.builds(CodeBlock, words, st.just("")),
    st.builds(List, items, st.booleans(), st.integers(1, 5)),
)
blocks = st.one_of(inner, st.builds(Quote, st.lists(inner, min_size=1, max_size=3).map(tuple)))
trees = st.lists(blocks, max_size=5).map(lambda found: normalize(RichText(tuple(found))))


@given(trees)
@settings(max_examples=examples(200))
def test_whatever_is_encoded_slack_accepts(rich: RichText) -> None:
    shown = degrade(rich, capabilities(None), {})
    made = message_blocks(shown, "mb-x")
    if made:
        check_blocks(made)
    assert measure(shown) >= len(text_of(shown)) or not made


@given(
    st.lists(st.sampled_from(["слово ", "x" * 700 + " ", "👩‍👩‍👧‍👦 ", "a\n\n", "&<> " * 40]), min_size=1, max_size=60).map("".join),
    marks,
)
@settings(max_examples=examples(25), deadline=None)
def test_no_part_is_over_the_limit(text: str, mark: int) -> None:
    rich = RichText((Paragraph((Text(text, mark), Text(text, 0, "https://example.com/"))), CodeBlock(text)))
    parts = split(rich, lambda part: measure(part) <= TEXT_LENGTH)
    for part in parts:
        check_blocks(message_blocks(part, "mb-x"))
        assert measure(part) <= TEXT_LENGTH
        assert len(fallback_text(part)) <= 4000
    assert "".join("".join(text_of(part).split()) for part in parts) == "".join(text_of(rich).split())


@given(texts)
def test_mrkdwn_escapes_are_undone_once(text: str) -> None:
    assert text_of(decode_mrkdwn(f"```{escape(text).replace('`', '')}```", NO_NAMES)).strip("\n") == text.replace("`", "").strip(
        "\n"
    )


@pytest.mark.parametrize(
    "blocks", [b"", b"null", b"3", b'[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text"}]}]}]']
)
def test_blocks_of_an_unknown_shape_do_not_lose_the_message(blocks: bytes) -> None:
    assert text_of(decode_text("still *here*", blocks, NO_NAMES)) == "still here"


def test_an_apps_blocks_without_text_are_not_empty() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Build 42"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*failed*"}, "fields": [{"type": "mrkdwn", "text": "who"}]},
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "plain_text", "text": "now"}, {"type": "image", "alt_text": "x"}]},
    ]
    assert text_of(decode_text("", msgspec.json.encode(blocks), NO_NAMES)) == "Build 42\nfailed\nwho\nnow [image: x]"


def test_emoji_names_go_both_ways() -> None:
    entries = [entry.split(" ") for entry in EMOJI_TABLE.split(";") if entry]
    for character, *names in entries:
        bare = character.lstrip("~")
        for name in names:
            assert emoji_names.to_unicode(name) == bare
        assert emoji_names.to_name(bare) == names[0]
        assert emoji_names.to_name(bare.replace("\ufe0f", "")) == names[0]
        if character.startswith("~"):
            toned = emoji_names.to_unicode(f"{names[0]}::skin-tone-4")
            assert toned is not None
            assert emoji_names.to_name(toned) == f"{names[0]}::skin-tone-4"
    assert len(entries) > 1900


@pytest.mark.parametrize(
    ("name", "character"),
    [("thumbsup", "👍"), ("+1::skin-tone-2", "👍🏻"), ("heart", "❤️"), ("man-shrugging", "🤷‍♂️"), ("flag-de", "🇩🇪"), ("dog", "🐶")],
)
def test_emoji_as_slack_names_them(name: str, character: str) -> None:
    assert emoji_names.to_unicode(name) == character
    assert emulator_emoji.character(name) == character


def test_unknown_emoji_have_no_name() -> None:
    assert emoji_names.to_unicode("party_parrot") is None
    assert emoji_names.to_name("x") is None
    assert emoji_names.to_name("👍🏻👍🏿") is None


@given(mixed_lists)
def test_each_depth_of_a_list_keeps_its_kind_and_numbers(made: List) -> None:
    rich = RichText((made,))
    assert labels(decode_text("", encoded(rich), NO_NAMES)) == labels(rich)
