"""The emulator shows messages as Discord's client does."""

from __future__ import annotations

import pytest

from tests.adapters.discord.conftest import Bench

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_the_formatting_sample_shows_its_words(bench: Bench) -> None:
    await bench.emulator.say(bench.chat, "Anna", bench.emulator.formatting_sample())
    shown = bench.emulator.transcript(bench.chat)[0]
    assert shown.text.split() == ["bold", "italic", "strike", "code", "label", "quoted", "block"]
    for tag in ("<b>", "<i>", "<s>", "<code>", "<a href=", "<blockquote>", "<pre>"):
        assert tag in shown.html
