"""Debug lines are put into words only where they are shown, and a reload changes that."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from bridge.config.model import LogConfig
from bridge.model.events import Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import plain
from bridge.observability.logs import plain_defaults, set_up_logging
from bridge.observability.outcome_log import words
from bridge.observability.verbosity import are_words_shown, is_debug_shown
from tests.support.strategies import NOON


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    plain_defaults()


def test_lines_are_said_at_debug_alone() -> None:
    set_up_logging(LogConfig(level="info"), stream=io.StringIO())
    assert not is_debug_shown()
    set_up_logging(LogConfig(level="debug"), stream=io.StringIO())
    assert is_debug_shown()
    plain_defaults()
    assert not is_debug_shown()


def said(text: str) -> MessageCreated:
    meta = EventMeta(event_key="k", origin=ChatRef(AccountName("tg"), "-1"), occurred_at=NOON, received_at=NOON)
    return MessageCreated(meta=meta, message_id="1", content=Content(text=plain(text)))


def test_words_are_shown_at_debug_and_where_they_are_asked_for_alone() -> None:
    for level, content, shown in (("debug", True, True), ("debug", False, False), ("info", True, False)):
        set_up_logging(LogConfig(level=level, content=content), stream=io.StringIO())
        assert are_words_shown() is shown
        assert words(said("hello")) == ({"words": "hello"} if shown else {})
    set_up_logging(LogConfig(level="debug", content=True), stream=io.StringIO())
    assert len(words(said("x" * 10_000))["words"]) == 500
    plain_defaults()
    assert words(said("hello")) == {}
