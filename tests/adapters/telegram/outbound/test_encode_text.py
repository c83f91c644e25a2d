"""Rich text -> text with entities, and back: what must hold for all input, and the cases that went wrong elsewhere."""

from __future__ import annotations

import html
import json
import time
from typing import Any

import pytest
import tdjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.telegram.capabilities import capabilities
from adapters.telegram.inbound.decode_text import decode_text
from adapters.telegram.outbound.encode_text import encode_text, guarded, linkable, measure
from bridge.model.rich_text import (
    CodeBlock,
    Emoji,
    Heading,
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
    inline_text,
    map_inlines,
    normalize,
    plain,
    text_of,
)
from bridge.render.degrade import degrade
from bridge.render.slice import slice_text
from tests.support.budget import examples

tdjson.td_execute(b'{"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}')

CHARACTERS = st.characters(exclude_categories=["Cs"])

WORDS = st.text(CHARACTERS, max_size=40)

TRICKY = st.text(alphabet="ab @_/.:<>&*`~|[]()\\#\n👍é\u200b\u202e", max_size=40)

MARKS = st.integers(0, 63)


def unguarded(text: str) -> str:
    return text.replace("@\u200b", "@").replace("/\u200b", "/")


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(st.one_of(WORDS, TRICKY))
@example("@anna_p hello, mail a@b.example, https://medium.com/@user/x")
def test_plain_text_survives(text: str) -> None:
    text = text_of(plain(unguarded(text)))  # without the characters that no text of ours holds
    there = encode_text(plain(text))
    assert there.entities == []
    back = decode_text(there.text)
    assert text_of(back) == text
    assert encode_text(back) == there


def inlines(words: st.SearchStrategy[str], mention_ids: tuple[str, ...]) -> st.SearchStrategy[Any]:
    links = st.one_of(st.none(), st.just("https://a.example/x"), st.just("mailto:a@b.example"))
    return st.one_of(
        st.builds(Text, words, MARKS, links),
        st.builds(Mention, st.sampled_from(MentionKind), st.sampled_from(mention_ids), words, MARKS),
        st.builds(Emoji, words, st.sampled_from(["", "536832417"]), st.sampled_from(["", "👍"]), MARKS),
        st.builds(Timestamp, st.integers(0, 2**33), words, st.just(""), MARKS),
    )


def trees(
    words: st.SearchStrategy[str], mention_ids: tuple[str, ...] = ("", "anna_p", "123456", "<@U1>")
) -> st.SearchStrategy[RichText]:
    runs = st.lists(inlines(words, mention_ids), max_size=5).map(tuple)
    simple = st.one_of(
        st.builds(Paragraph, runs),
        st.builds(Heading, st.integers(1, 6), runs),
        st.builds(CodeBlock, words, st.sampled_from(["", "python"])),
        st.builds(List, st.lists(st.builds(ListItem, runs, st.integers(0, 2)), min_size=1, max_size=3).map(tuple), st.booleans()),
    )
    blocks = st.one_of(simple, st.builds(Quote, st.lists(simple, min_size=1, max_size=3).map(tuple)))
    return st.lists(blocks, max_size=4).map(lambda found: normalize(RichText(tuple(found))))


@given(trees(st.one_of(WORDS, TRICKY)))
def test_every_entity_lies_in_the_text_and_measure_counts_code_points(rich: RichText) -> None:
    encoded = encode_text(rich)
    size = utf16(encoded.text)
    halves = encoded.text.encode("utf-16-le")
    for entity in encoded.entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        assert 0 <= start < end <= size
        halves[start * 2 : end * 2].decode("utf-16-le")  # begins and ends at whole characters
    assert measure(rich) == len(encoded.text)


@given(trees(st.one_of(WORDS, TRICKY)))
def test_no_word_is_lost(rich: RichText) -> None:
    shown = unguarded(encode_text(rich).text)
    for block in rich.blocks:
        if isinstance(block, Paragraph):
            at = 0
            for inline in block.inlines:
                by_name = isinstance(inline, Mention) and inline.kind is MentionKind.USER and inline.id == "anna_p"
                words = unguarded("@anna_p" if by_name else inline_text(inline))
                at = shown.find(words, at)
                assert at >= 0
                at += len(words)


@given(trees(st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="@\u200b"), max_size=12), ("", "123456")))
def test_formatting_survives(rich: RichText) -> None:
    there = encode_text(rich)
    back = decode_text(there.text, there.entities)
    again = encode_text(back)
    assert again.text == there.text
    assert _covered(again.entities, "blockquote") == _covered(there.entities, "blockquote")
    for kind in ("bold", "italic", "underline", "strikethrough", "spoiler"):
        outside = _covered(there.entities, "code") | _covered(there.entities, "pre") | _atoms(there.entities)
        assert _covered(again.entities, kind) - outside == _covered(there.entities, kind) - outside


def _covered(entities: list[Any], kind: str) -> set[int]:
    return {at for e in entities if e["type"] == kind for at in range(e["offset"], e["offset"] + e["length"])}


def _atoms(entities: list[Any]) -> set[int]:
    kinds = ("text_mention", "custom_emoji", "date_time", "text_link")
    return set().union(*(_covered(entities, kind) for kind in kinds))


ALIVE = ("textEntityTypeMention", "textEntityTypeMentionName", "textEntityTypeBotCommand")

"""What somebody's words must not become: it calls a person, or sends a command when it is touched."""


def seen_by_tdlib(text: str) -> list[str]:
    return [words for words, _ in alive_with_places(text)]


def alive_with_places(text: str) -> list[tuple[str, int]]:
    answer = json.loads(tdjson.td_execute(json.dumps({"@type": "getTextEntities", "text": text}).encode()) or b"{}")
    halves = text.encode("utf-16-le")
    return [
        (halves[e["offset"] * 2 : (e["offset"] + e["length"]) * 2].decode("utf-16-le"), e["offset"])
        for e in answer.get("entities", ())
        if e["type"]["@type"] in ALIVE
    ]


BITS = """@ victim / . https:// http:// a.example a.com x ? < > - -- _ é я # : & ; , ( ) ~ ' " [ | $ = + % ! * ` ^
    /cmd /cmd@bot @victim a_b.io x--.io xn--p1ai.com localhost 1.1.1.1 :80 www. t.me/ tg:// ftp:// 👍
    -/cmd 256.1.1.1 01.1.1.1 :0 :65536 teiegram.org { } https://a.io:8443/-/cmd http://1.2.3.4/x « … \u200b""".split(" ")  # noqa: SIM905


@settings(max_examples=examples(400))
@given(
    st.lists(st.sampled_from([*(piece.strip() or " " for piece in BITS), " ", "\n", "\u00a0", "\u2028"]), max_size=10).map("".join)
)
@example("https://x/@victim")
@example("https://a.com/<@victim")
@example("https://a.com/é@victim")
@example("a.zzz/@victim")
@example("https://a.example/@victim")
@example("https://a_b.io/@victim")
@example("https://x--.io/@victim")
@example("https://-x.io/@victim")
@example("https://a.io(https://b.io/@victim")
@example("https://a.iohttps://b.io/@victim")
@example("https://a.io:80/@victim")
@example("https://a.io:80)/cmd https://a.io:0/-/cmd https://a.io:65536/-/cmd https://a.io:80x/-/cmd https://a.io:80@b/-/cmd")
@example("https://256.1.1.1/-/cmd http://1.2.3/-/cmd http://01.2.3.4/-/cmd http://1.2.3.4.5/-/cmd http://1.2.3.4x/-/cmd")
@example("https://teiegram.org/-/cmd https://TEIEGRAM.org:80/-/cmd")
@example("(https://a.io/x)/cmd [https://a.io/(x)]/cmd https://a.io/x(/cmd https://a.io/{x)}/cmd https://a.io/?!/cmd")
@example("https://a.io\u3000/cmd https://a.io/\u3000/cmd https://a.io/x\u2028/cmd https://a.io/x\u180e/cmd")
@example("/cmd and /cmd@bot, (/cmd) </cmd> /usr/bin ~/bin")
def test_foreign_words_never_become_a_mention(text: str) -> None:
    """Telegram's own parser finds no mention in what we send."""
    assert seen_by_tdlib(guarded(text)) == []
    assert unguarded(guarded(text)) == unguarded(text)


@settings(max_examples=examples(300))
@given(
    st.lists(
        st.one_of(
            st.builds(
                Text,
                st.sampled_from(
                    [
                        "@",
                        "victim",
                        "a",
                        " ",
                        "https://a.example/",
                        "https://",
                        "/",
                        ".",
                        "a@",
                        "@vic",
                        "👍",
                        "(",
                        "-",
                        "é",
                        "\n",
                        "/cmd",
                    ]
                ),
                st.sampled_from([0, 1, 2, 32]),
                st.sampled_from([None, None, "https://b.example"]),
            ),
            st.builds(
                Mention, st.sampled_from(MentionKind), st.sampled_from(["", "123"]), st.sampled_from(["victim", "Anna"]), st.just(0)
            ),
            st.just(Mention(MentionKind.USER, "anna_p", "anna_p")),
        ),
        max_size=6,
    )
)
@example([Text("@", 1), Text("victim")])
@example([Text("x"), Text("https://a.zzz/@victim", 1)])
@example([Text("x", 32), Text("https://a.zzz/@victim")])
@example([Text("https://a.example/"), Mention(MentionKind.USER, "anna_p", "anna_p"), Text("a@@victim")])
@example([Mention(MentionKind.USER, "anna_p", "anna_p"), Text("victim")])
def test_words_that_meet_from_two_runs_never_become_a_mention(runs: list[Any]) -> None:
    encoded = encode_text(RichText((Paragraph(tuple(runs)),)))
    blocked = (
        _covered(encoded.entities, "text_mention") | _covered(encoded.entities, "code") | _covered(encoded.entities, "text_link")
    )
    for words, at in alive_with_places(encoded.text):
        assert words == "@anna_p" or at in blocked


@given(TRICKY)
def test_foreign_words_never_become_markup(text: str) -> None:
    rich = RichText((Paragraph((Text(text, Mark.BOLD),)),))
    assert {entity["type"] for entity in encode_text(normalize(rich)).entities} <= {"bold"}


def test_addresses_stay_whole() -> None:
    for url in ("https://medium.com/@user/a-b_c?x=@y#z", "https://mastodon.social/@someone/123"):
        assert guarded(f"see {url} now") == f"see {url} now"
    for path in ("/usr/bin/python", "and/or", "https://a.example/#/login", "1/2", "</b>"):
        assert guarded(f"see {path} now") == f"see {path} now"
    assert guarded("mail me@host.example") == "mail me@host.example"


@pytest.mark.parametrize(
    "host",
    [
        "https://a.example",
        "https://a.example:8443",
        "http://10.0.0.1",
        "http://255.249.99.0:65535",
        "HTTPS://git.a-b.co.uk:3000",
        "ftp://a.example",
    ],
)
def test_what_looks_like_a_command_in_an_address_leaves_it_whole(host: str) -> None:
    for path in (
        "/-/word",
        "/files/abc-/report.bin",
        "/a_(b)/word",
        "/x,/word;/word",
        "/#/word",
        "?next=/word",
        "#/word",
        "/é/word",
        "/~/@name",
    ):
        for text in ("{}", "see {} now", "({})", "see ({}).", "see {}.", "{}, or {}!", "«see» [{}]", "a\n{}\n/\u200bword and {}"):
            shown = text.replace("{}", url := host + path)
            assert guarded(shown) == shown
            assert seen_by_tdlib(shown) == []
            assert text.count("{}") == urls_of_tdlib(shown).count(url), "it is a link"


def urls_of_tdlib(text: str) -> list[str]:
    answer = json.loads(tdjson.td_execute(json.dumps({"@type": "getTextEntities", "text": text}).encode()) or b"{}")
    halves = text.encode("utf-16-le")
    return [
        halves[e["offset"] * 2 : (e["offset"] + e["length"]) * 2].decode("utf-16-le")
        for e in answer["entities"]
        if e["type"]["@type"] == "textEntityTypeUrl"
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("(/word) https://a.example:80/-/x -/word", "(/\u200bword) https://a.example:80/-/x -/\u200bword"),
        ("(https://a.example:80/x)/word", "(https://a.example:80/x)/\u200bword"),
        ("http://1.2.3.4/x @name", "http://1.2.3.4/x @\u200bname"),
        ("http://1.2.3.256/-/word", "http://1.2.3.256/-/\u200bword"),
        ("https://a.example:70000/-/word", "https://a.example:70000/-/\u200bword"),
    ],
)
def test_what_is_not_in_an_address_stays_guarded(text: str, shown: str) -> None:
    assert guarded(text) == shown


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        ")",
        "https://a.io/(",
        " https://",
        "a.",
        "https://a.io:",
        "1.",
        " http://1.1.1.1:1/)",
        "-/a",
        "/a)",
        "a-",
        " https://a-",
        "@",
    ],
)
def test_a_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    """By the time of the processor, with a hundredfold of room: a search that tries every way takes minutes."""
    text = (" https://a.io:80/" + piece * 4096)[:4096]
    began = time.process_time()
    for _ in range(20):
        guarded(text)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.example", True),
        ("HTTP://A.example/x", True),
        ("tg://user?id=5", True),
        ("mailto:a@b.example", False),
        ("tel:+49", False),
        ("javascript:alert(1)", False),
        ("http://intranet/x", False),
        ("ftp://a.example", False),
        ("https://a b.example", False),
        ("http://[bad", False),
    ],
)
def test_which_links_telegram_keeps(url: str, kept: bool) -> None:
    assert linkable(url) is kept


PIECES = st.sampled_from(
    [
        "http",
        "https",
        "tg",
        "ton",
        "ftp",
        "://",
        ":",
        "//",
        "a",
        "b.example",
        ".",
        "@",
        "/",
        "x?y=z",
        "#f",
        "8080",
        "99999",
        "-",
        "_",
        "\\",
        "%zz",
        "é",
        " ",
        "[",
        "]",
        "1.2.3.4",
    ]
)


@settings(max_examples=examples(300))
@given(st.one_of(st.lists(PIECES, max_size=7), st.lists(PIECES, max_size=5).map(lambda rest: ["https://", *rest])).map("".join))
def test_telegram_keeps_every_link_that_we_send_as_one(url: str) -> None:
    """Asked of TDLib: a link that is dropped would take the address with it."""
    if linkable(url):
        request = {
            "@type": "parseTextEntities",
            "text": f'<a href="{html.escape(url)}">zz</a>',
            "parse_mode": {"@type": "textParseModeHTML"},
        }
        assert json.loads(tdjson.td_execute(json.dumps(request).encode()) or b"{}").get("entities"), url


def test_an_expandable_quote_stays_one_through_every_step() -> None:
    told = {"type": "expandable_blockquote", "offset": 0, "length": 9}
    rich = decode_text("two\nlines\nand on", [told])
    assert normalize(rich) == rich
    shown = degrade(map_inlines(rich, lambda inline: inline), capabilities(None), {})
    assert encode_text(shown).entities == [told]
    assert encode_text(slice_text(rich, 0, 6)).entities == [{**told, "length": 6}]
