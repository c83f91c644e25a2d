"""Long texts: what a target's measure says is what is sent, each character is measured about once, and what it costs grows with the
text and no faster. Counted in calls and characters, never in time."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import FrameType, ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bridge.model.rich_text
import bridge.model.rich_text_runs
from adapters.discord.outbound import encode_text as discord_markup
from adapters.registry import load_platform
from adapters.slack.outbound import encode_text as slack
from adapters.teamspirit.outbound import encode_markdown
from adapters.telegram.outbound import encode_text as telegram
from bench.text import SHAPES, _rendered
from bridge.model.refs import AccountName
from bridge.model.rich_text import Block, CodeBlock, Heading, List, ListItem, Paragraph, Quote, RichText, Text, normalize, text_of
from bridge.policy.routing import RelayOptions
from bridge.render.attachments import Target
from bridge.render.slice import slice_text
from bridge.render.split import Limit, split
from tests.conformance.cases import CODECS
from tests.support.budget import examples
from tests.support.strategies import inked, inlines, rich_texts

PIECES = st.sampled_from(
    ["a", " ", "  ", "\n", "*", "_", "`", "@", "a_b", " x ", "http", "://x", "https://a.example/x", "1", ".", "#", ">", "-", "ü"]
) | st.sampled_from(
    ["\U0001f600", "\t", "@everyone", ":smile:", "x\n", "\n\ny", "~", "|", "&", "<", "!", "=", ")", "\r", "\ud800", ""]
)
LINKS = st.sampled_from([None, None, None, "", "https://a.example/x", "https://b.example/(y)", "mailto:a@b.example"])
SHORT_RUNS = st.builds(Text, PIECES, st.sampled_from([0, 0, 0, 1, 2, 2, 3, 4, 8, 16, 32, 33, 34, 63]), LINKS)
RUNS = st.one_of(
    st.lists(SHORT_RUNS, min_size=2, max_size=14).map(tuple),
    st.lists(st.one_of(SHORT_RUNS, inlines), max_size=6).map(tuple),
)
ITEMS = st.builds(ListItem, RUNS, st.integers(0, 3), st.sampled_from([None, None, True, False]), st.sampled_from([None, None, 3]))
LISTS = st.builds(List, st.lists(ITEMS, max_size=5).map(tuple), st.booleans(), st.integers(0, 5))
BLOCKS = st.one_of(
    st.builds(Paragraph, RUNS),
    st.builds(Paragraph, RUNS),
    st.builds(Heading, st.integers(1, 6), RUNS),
    st.builds(CodeBlock, PIECES),
    LISTS,
    st.builds(Quote, st.lists(st.one_of(st.builds(Paragraph, RUNS), LISTS), max_size=2).map(tuple)),
)
SHREDS = st.one_of(st.builds(RichText, st.lists(BLOCKS, min_size=1, max_size=3).map(tuple)), rich_texts)
"""Rich text of many short runs, which is where the short cuts are taken."""


def _slack_length(wire: object) -> int:
    """What is counted, from the elements themselves."""
    if isinstance(wire, list):
        return sum(map(_slack_length, wire))
    assert isinstance(wire, dict)
    if "elements" in wire:
        return 48 + _slack_length(wire["elements"])
    return 48 + sum(len(wire.get(key, "").encode("utf-16-le")) // 2 for key in ("text", "url", "fallback"))


@given(SHREDS)
def test_slack_measures_what_its_elements_hold(rich: RichText) -> None:
    rich = normalize(rich)
    assert slack.measure(rich) == _slack_length(slack.rich_text_elements(rich))


@given(SHREDS)
def test_telegram_measures_what_it_sends(rich: RichText) -> None:
    rich = normalize(rich)
    assert telegram.measure(rich) == len(telegram.encode_text(rich).text)


@pytest.mark.parametrize(
    ("platform", "module"), [("discord", discord_markup), ("teamspirit", encode_markdown), ("mattermost", encode_markdown)]
)
@settings(max_examples=examples(500))
@given(rich=SHREDS)
def test_a_short_cut_writes_what_the_long_way_does(platform: str, module: object, rich: RichText) -> None:
    rich = normalize(rich)
    short = CODECS[platform].encode(rich)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_means_nothing", lambda text: False)
        assert CODECS[platform].encode(rich) == short


ADDRESSES = st.tuples(
    st.sampled_from(["http://", "https://", "https:", "ftp://"]),
    st.text(st.sampled_from("aZ0_-.:@[]é"), max_size=8),
    st.text(st.sampled_from('/?#a0.:@[]()%"<>\\ \n\u00a0é|`'), max_size=8),
).map("".join)


@pytest.mark.parametrize(("module", "judges"), [(telegram, "linkable"), (slack, "_is_linkable")])
@settings(max_examples=examples(500))
@given(url=ADDRESSES)
def test_a_plain_address_is_one_the_long_way_too(module: ModuleType, judges: str, url: str) -> None:
    short = getattr(module, judges)(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PLAIN_LINK", re.compile("(?!)"))
        assert getattr(module, judges)(url) == short


@given(SHREDS)
def test_what_is_normal_is_what_would_be_made(rich: RichText) -> None:
    short = normalize(rich)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge.model.rich_text_runs, "are_merged", lambda inlines: False)
        patch.setattr(bridge.model.rich_text, "are_merged", lambda inlines: False)
        assert normalize(rich) == short
        assert normalize(short) == short
    assert normalize(short) == short


@settings(max_examples=examples(500))
@given(SHREDS)
def test_a_block_that_is_normal_is_left_as_it_is(rich: RichText) -> None:
    short = normalize(rich)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge.model.rich_text, "_is_normal", lambda block: False)
        assert normalize(rich) == short


@pytest.mark.parametrize("shape", ["small blocks", "headings", "items", "lines"])
@pytest.mark.parametrize("platform", ["telegram", "slack", "discord", "teamspirit"])
def test_a_long_text_is_made_normal_a_few_times(platform: str, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0

    def counted(block: Block) -> bool:
        nonlocal looked_at
        looked_at += 1
        return is_normal(block)

    whole = normalize(SHAPES[shape](20_000))
    is_normal = bridge.model.rich_text._is_normal
    monkeypatch.setattr(bridge.model.rich_text, "_is_normal", counted)
    assert is_normal(whole.blocks[0])
    normalize(whole)
    counted_once, looked_at = looked_at, 0
    assert counted_once >= len(whole.blocks)
    capabilities = load_platform(platform).capabilities(None)
    measure = MEASURES[platform][0] if platform != "slack" else lambda text: len(text_of(text))
    target = Target(
        account=AccountName("t"),
        platform=platform,
        capabilities=capabilities,
        measure=lambda text, caption: measure(text),
        options=RelayOptions(),
    )
    rendered = _rendered(whole, target)
    assert rendered
    assert looked_at <= 3 * counted_once + 200


MEASURES: dict[str, tuple[Callable[[RichText], int], int]] = {
    "telegram": (telegram.measure, 4096),
    "slack": (slack.measure, 8000),
    "discord": (lambda rich: len(discord_markup.encode_text(rich)), 2000),
    "teamspirit": (lambda rich: len(CODECS["teamspirit"].encode(rich)), 4000),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("platform", MEASURES)
def test_each_character_is_measured_a_few_times(platform: str, shape: str) -> None:
    measure, most = MEASURES[platform]
    measured = 0

    def counted(rich: RichText) -> int:
        nonlocal measured
        measured += len(text_of(rich))
        return measure(rich)

    whole = normalize(SHAPES[shape](40_000))
    parts = split(whole, Limit(counted, most))
    assert all(measure(part) <= most for part in parts)
    assert inked("".join(map(text_of, parts))) == inked(text_of(whole))
    # the first look, at the beginning, is as long as many of Slack's parts of marked words
    assert measured <= 2.5 * len(text_of(whole)) + 2 * 4096


def _calls(work: Callable[[], object]) -> int:
    """How many functions are called, those of the interpreter included."""
    count = 0

    def called(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("platform", MEASURES)
def test_twice_the_text_costs_twice(platform: str, shape: str) -> None:
    measure, most = MEASURES[platform]

    def cost(length: int) -> int:
        whole = normalize(SHAPES[shape](length))
        return _calls(lambda: (measure(whole), split(whole, Limit(measure, most))))

    cost(500)  # what is remembered from the first time on
    assert cost(40_000) < 2.6 * cost(20_000)


@settings(max_examples=examples(200))
@given(SHREDS, st.integers(0, 40), st.integers(0, 40))
def test_a_slice_shows_what_lies_between(rich: RichText, start: int, length: int) -> None:
    paragraphs = [block for block in normalize(rich).blocks if isinstance(block, Paragraph)]
    whole = RichText(tuple(Paragraph(tuple(run for run in block.inlines if isinstance(run, Text))) for block in paragraphs))
    assert inked(text_of(slice_text(whole, start, start + length))) == inked(text_of(whole)[start : start + length])
