"""Work on long texts is done in short steps: between two points at which it may pause lies little. Counted in lines that the
interpreter runs, never in time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import msgspec
import pytest

from adapters.registry import load_platform
from adapters.slack.inbound.decode_mrkdwn import decode_mrkdwn
from adapters.slack.inbound.decode_text import decode_text as slack_text
from adapters.slack.names import NO_NAMES, wanted
from adapters.slack.outbound.encode import message_blocks
from bench.text import SHAPES
from bridge.model.pauses import with_pauses
from bridge.model.rich_text import normalize
from bridge.render.degrade import degrade
from bridge.render.message_links import addresses_in, with_addresses
from bridge.render.split import Limit, split
from tests.conformance.cases import CODECS
from tests.conformance.test_long_texts import MEASURES

MOST_LINES = 40_000
"""Two or three milliseconds on a small machine."""


def longest_step(work: Callable[[], object]) -> int:
    """The most lines that run between two pause points."""
    lines, steps = 0, list[int]()

    def ran(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        lines += 1
        return ran

    def pause() -> None:
        nonlocal lines
        steps.append(lines)
        lines = 0

    def traced() -> None:
        sys.settrace(ran)
        try:
            work()
        finally:
            sys.settrace(before)

    before = sys.gettrace()
    with_pauses(traced, pause)
    pause()
    return max(steps)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("platform", MEASURES)
def test_rendering_pauses_every_few_thousand_lines(platform: str, shape: str) -> None:
    measure, most = MEASURES[platform]
    whole = normalize(SHAPES[shape](40_000))
    capabilities = load_platform(platform).capabilities(None)

    def work() -> None:
        for part in split(degrade(normalize(whole), capabilities, {}), Limit(measure, most)):
            CODECS[platform].encode(part)

    assert longest_step(work) < MOST_LINES


@pytest.mark.parametrize("shape", SHAPES)
def test_looking_for_links_to_messages_pauses(shape: str) -> None:
    whole = normalize(SHAPES[shape](40_000))
    assert longest_step(lambda: with_addresses(whole, dict.fromkeys(addresses_in(whole), "https://example.com/1"))) < MOST_LINES


@pytest.mark.parametrize("shape", SHAPES)
def test_reading_what_slack_sends_pauses(shape: str) -> None:
    blocks = msgspec.json.encode(message_blocks(normalize(SHAPES[shape](40_000)), "id"))
    assert longest_step(lambda: (wanted(blocks), slack_text("text", blocks, NO_NAMES))) < MOST_LINES


SOURCES = ["*a* ", "- a\n", "1. a\n", "> a\n", "# a\n", "`a` ", "[a](https://a.b) ", "*a*\n\n", "@anna ", ":tada: ", "**", "<", "a"]


@pytest.mark.parametrize("source", SOURCES)
def test_reading_markup_pauses(source: str) -> None:
    assert longest_step(lambda: decode_mrkdwn(source * (40_000 // len(source)), NO_NAMES)) < MOST_LINES
