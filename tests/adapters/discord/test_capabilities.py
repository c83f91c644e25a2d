"""What is declared is what is there, and what posting as the bot changes in it."""

from __future__ import annotations

from adapters.discord.config import DiscordOptions
from adapters.registry import load_platform
from bridge.model.adapter import Deletes, Edits, OpensFiles, Pins, Reacts, ReadsHistory, Reconciles, SetsStatus, ShowsTyping
from bridge.model.capabilities import Feature, Support
from tests.adapters.discord.conftest import Bench


async def test_abilities_are_declared_exactly_when_they_are_there(bench: Bench) -> None:
    adapter = bench.adapter()
    for ability in (Edits, Deletes, Reacts, OpensFiles, ReadsHistory, Reconciles, ShowsTyping, Pins, SetsStatus):
        assert isinstance(adapter, ability)
    for feature in (Feature.EDIT, Feature.DELETE, Feature.REACT, Feature.HISTORY, Feature.RECONCILE, Feature.TYPING, Feature.PIN):
        assert adapter.capabilities.native(feature)
    assert adapter.capabilities.level(Feature.STATUS) is Support.PARTIAL


def test_posting_as_the_bot_changes_what_is_declared() -> None:
    as_bot = load_platform("discord").capabilities(DiscordOptions(token="x", post_as="bot"))
    assert as_bot.level(Feature.SENDER_NAME) is Support.CONVERTED
    assert as_bot.level(Feature.REPLY) is Support.FULL
    assert load_platform("discord").capabilities(None).level(Feature.SENDER_NAME) is Support.FULL
