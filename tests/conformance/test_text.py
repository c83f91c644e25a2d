"""What holds for the text of every platform: plain text survives, foreign text means nothing, no reading takes for ever."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.registry import load_platform
from adapters.slack.inbound.decode_mrkdwn import decode_mrkdwn
from adapters.slack.names import NO_NAMES
from adapters.slack.outbound.encode_text import fallback_text
from bridge.model.capabilities import Capabilities, Feature
from bridge.model.rich_text import Mark, Mention, Paragraph, RichText, Text, inline_text, map_inlines, normalize, plain, text_of
from bridge.render.degrade import degrade
from bridge.render.slice import runs
from tests.conformance.cases import CODECS, PLATFORM_OF_CODEC
from tests.support.budget import examples
from tests.support.strategies import inked, rich_texts

GUARDS = "\u200b\u2060\u2061\u2062\u2063\ufeff"
"""Invisible characters by which encoders keep foreign text from meaning something."""

FOREIGN = [
    "**bold** __underline__ ~~strike~~ ||spoiler|| `code` *it* _it_ ***both***",
    "<@80351110224678912> <@!80351110224678912> <@&165511591545143296> <#103735883630395392> @everyone @here",
    "<:party:41771983429993937> <a:party:41771983429993937> <t:1618953630:R> </command:816437322781949972> <id:browse>",
    "# heading",
    "## heading",
    "-# small",
    "> quote",
    ">>> quotes",
    "- item",
    "* item",
    "1. item",
    "    1. item",
    "```py",
    "```",
    "||",
    "\\*",
    "[label](https://evil.example)",
    "[label](<https://evil.example>)",
    "<https://example.org>",
    "*bold* _it_ ~strike~ `code` ```block```",
    "<@U024BE7LH> <#C024BE7LR> <!here> <!channel> <!everyone> <!subteam^S1|x>",
    "<https://evil.example|label> <mailto:a@example.org|mail> <!date^1392734382^{date}|x>",
    ":party_parrot: :smile:",
    "&lt;!here&gt; &amp;",
    '<b>bold</b> <i>it</i> <a href="https://evil.example">x</a> <tg-spoiler>x</tg-spoiler> <code>x</code>',
    "@durov @all /start #tag $TAG",
    "[x](tg://user?id=1) __it__ *b* ||s|| ~s~ ![👍](tg://emoji?id=5368324170671202286)",
    "@all @channel @here @anna ~town-square",
    "| a | b |",
    "===",
    "---",
    "***",
    "- [ ] task",
    "+ item",
    "![image](https://evil.example/x.png)",
    "[x]: https://evil.example",
    "[x][y]",
    "<script>alert(1)</script>",
    "&copy; &#64;here",
    "1) item",
    "~~~",
    "\\",
    "\\\\",
    "<!-- -->",
    "http://",
    "https://",
    "$$x$$",
    ":::",
    "[^1]",
    "==mark==",
    "H~2~O",
    "＠everyone",
    "`",
    "``",
    "````",
    "*",
    "**",
    "_",
    "__",
    "~",
    "[",
    "](",
    "<",
    "<@",
    "<!",
    "&",
    "#",
    "-",
    "+",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "heading\n=======",
    "heading\n---",
    "a  \nb",
    "\u202e@here\u202c",
    "@\u200beveryone",
]
"""What some platform takes for more than text: Discord's, Slack's and Telegram's, then Markdown's of TeamSpirit and Mattermost."""
WORDS = st.sampled_from(
    [part for text in FOREIGN for part in re.split(r"(\s+)", text) if part]
    + [
        "word",
        "a",
        "Привет",
        "日本",
        "🙂",
        "e\u0301",
        "'",
        '"',
        "...",
        "1",
        "(",
        ")",
        "https://example.org/a_b*c?d=1&e=(f)",
        "x@y.org",
    ]
)
MIXED = st.lists(st.tuples(WORDS, st.sampled_from(["", " ", "\n", "\n\n"])), min_size=1, max_size=14).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


@pytest.fixture(params=CODECS)
def codec_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def capabilities_of(codec_name: str) -> Capabilities:
    return load_platform(PLATFORM_OF_CODEC[codec_name]).capabilities(None)


def bare(text: str) -> str:
    """Without guards, and without the white space that platforms trim or collapse at the ends of lines."""
    text = text.translate(dict.fromkeys(map(ord, GUARDS)))
    return "\n".join(line.strip() for line in text.strip().split("\n"))


def meaning(rich: RichText) -> list[object]:
    """Everything in it that is more than literal text. An address that is shown as it is may be clickable."""
    found: list[object] = [block for block in rich.blocks if not isinstance(block, Paragraph)]
    for inline in runs(rich):
        if isinstance(inline, Text):
            own = inline.link is None or inline.link.removeprefix("mailto:").rstrip("/") in inline.text + "/"
            if inline.marks or not own:
                found.append(inline)
        elif inline is not None:
            found.append(inline)
    return found


def passed_on(codec_name: str, text: str) -> RichText:
    codec = CODECS[codec_name]
    return codec.decode(codec.encode(plain(text)))


def test_foreign_text_means_nothing(codec_name: str) -> None:
    for text in FOREIGN:
        for around in (text, f"before {text} after", f"line\n{text}\nline", f"({text})", f"{text} {text}"):
            rich = passed_on(codec_name, around)
            assert (around, meaning(rich)) == (around, [])
            assert bare(text_of(rich)) == bare(around)


@given(text=MIXED)
@settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_mixture_of_markup_is_literal_text(codec_name: str, text: str) -> None:
    rich = passed_on(codec_name, text)
    assert meaning(rich) == []
    assert bare(text_of(rich)) == bare(text_of(plain(text)))


@given(text=st.text(max_size=60))
@settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_plain_text_survives(codec_name: str, text: str) -> None:
    rich = passed_on(codec_name, text)
    assert meaning(rich) == []
    assert bare(text_of(rich)) == bare(text_of(plain(text)))


PATTERNS = ["*", "_", "**", "~~", "||", "`", "[", "[a](", "<", "<@", "> ", "- ", "```\n", "\\", "* ", "_ ", "**a", "(", "#", "\n"]
PATTERNS += ["a\n\n", "*a_", "![", "&", "@", "http://", "<https://", "    - ", "*a**", "||a", ":a", "|", "1. ", "<!", "[](", "`a``"]


def test_reading_and_writing_take_no_time_whatever_is_written(codec_name: str) -> None:
    codec = CODECS[codec_name]
    for pattern in PATTERNS:
        text = (pattern * 4000)[:4000]
        began = time.process_time()
        codec.decode_raw(text)
        codec.decode_raw(text + "x")
        codec.encode(plain(text))
        assert (pattern, time.process_time() - began < 2.0) == (pattern, True)


@given(text=MIXED)
@settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_whatever_people_write_is_understood_and_can_be_kept(codec_name: str, text: str) -> None:
    rich = CODECS[codec_name].decode_raw(text)
    assert normalize(rich) == rich


# -- formatted text ---------------------------------------------------------------------------------------------------------


@given(rich=rich_texts)
@settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_formatted_text_keeps_its_words_and_gains_no_mention(codec_name: str, rich: RichText) -> None:
    words = map_inlines(rich, lambda run: run if isinstance(run, Text) else Text(inline_text(run), run.marks))
    shown = degrade(words, capabilities_of(codec_name), {})
    codec = CODECS[codec_name]
    back = codec.decode(codec.encode(shown))
    assert not any(isinstance(run, Mention) for run in runs(back))
    if all(isinstance(block, Paragraph) for block in shown.blocks):
        assert all(isinstance(block, Paragraph) for block in back.blocks)
    carried = iter(bare(text_of(back)))
    assert all(character in carried for character in inked(bare(text_of(words))))


def test_code_keeps_its_characters_under_any_marks(codec_name: str) -> None:
    codec = CODECS[codec_name]
    able = capabilities_of(codec_name)
    for code in ("a**b", "**kwargs", "x||y", "__init__", "~~x~~", "a`b", "*", "\\"):
        for marks in range(32):
            rich = RichText((Paragraph((Text("see "), Text(code, marks | Mark.CODE), Text(" there"))),))
            back = codec.decode(codec.encode(degrade(rich, able, {})))
            assert bare(text_of(back)).replace("[spoiler] ", "") == f"see {code} there"
            rich = RichText((Paragraph((Text(code, marks | Mark.CODE), Text("next", Mark.CODE))),))
            back = codec.decode(codec.encode(degrade(rich, able, {})))
            assert bare(text_of(back)).replace("[spoiler] ", "") == f"{code}next"


def test_code_that_is_a_link_keeps_its_address(codec_name: str) -> None:
    codec = CODECS[codec_name]
    url = "https://example.org/issues/7"
    rich = RichText((Paragraph((Text("see "), Text("#7", int(Mark.CODE), url), Text("x", int(Mark.CODE)))),))
    able = capabilities_of(codec_name)
    back = codec.decode(codec.encode(degrade(rich, able, {})))
    if able.native(Feature.LINK):
        assert any(isinstance(run, Text) and run.link == url for run in runs(back))
    else:
        assert url in text_of(back)


def test_what_begins_a_block_means_nothing_at_the_end_of_a_run(codec_name: str) -> None:
    codec = CODECS[codec_name]
    for opener in ("#", "##", "###", "1.", "1)", "-", "*", "+", ">", ">>>", "-#", "```", "~~~", "    ", "|", "=", "---", "\\"):
        for following in (Text(" rest", 1), Text("rest", 2), Text("rest", 32), Text("rest", 0, "https://example.org/")):
            rich = RichText((Paragraph((Text(f"line\n{opener}"), following)),))
            back = codec.decode(codec.encode(rich))
            assert (opener, [type(block) for block in back.blocks]) == (opener, [Paragraph])
            assert bare(text_of(back)) == bare(text_of(rich))


def test_the_words_of_slacks_notifications_mention_nobody() -> None:
    """The text beside the blocks may show foreign marks as marks; it must not mention or hide an address."""
    for text in FOREIGN:
        rich = decode_mrkdwn(fallback_text(plain(text)), NO_NAMES)
        assert not any(isinstance(run, Mention) for run in runs(rich))
        assert all(run.link is None or run.link in text for run in runs(rich) if isinstance(run, Text))
