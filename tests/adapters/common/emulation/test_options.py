"""Options of emulators, by name: what they do, where they are documented, and which are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.options import OptionFault, parse_options
from adapters.registry import load_emulator, platforms

ROOT = Path(__file__).parents[4]


def built(platform: str, **options: Any) -> Any:
    emulator = load_emulator(platform)
    emulator.configure(options)
    return emulator


def test_options_do_what_they_say() -> None:
    assert built("telegram", local=True).account_options()["local_server"] is True
    assert built("teamspirit", max_upload_mb=1000).account_options()["max_upload_mb"] == 1000
    assert built("teamspirit", max_upload_mb=1000).world.rules.max_file_bytes == 1_000_000_000
    assert built("discord", boost=2).world.max_file_bytes == 50 * 1024**2
    assert built("slack", rate_limits=True, post_burst=1).api.budgets.retry_after_s("chat.postMessage", "C1") == 0


@pytest.mark.parametrize("platform", platforms())
def test_every_option_is_documented(platform: str) -> None:
    page = (ROOT / "docs" / "sandbox.md").read_text()
    for name, field in built(platform).options_model.model_fields.items():
        assert f"`{name}`" in page
        assert field.description


@pytest.mark.parametrize(
    ("platform", "options", "words"),
    [
        ("telegram", {"locale": True}, "locale: there is no such option; did you mean local?"),
        ("telegram", {"zzz": True}, "there are messages_kept"),
        ("discord", {"boost": 4}, "boost: .*less than or equal to 3"),
        ("teamspirit", {"max_upload_mb": "many"}, "max_upload_mb: .*number.*largest file"),
    ],
)
def test_a_wrong_option_is_named(platform: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionFault, match=words):
        built(platform, **options)


def test_options_of_a_command_line() -> None:
    entries = ["telegram.local=true", "telegram.chat_per_s=0.5", "teamspirit.max_upload_mb=40"]
    assert parse_options(entries, ("telegram", "teamspirit")) == {
        "telegram": {"local": True, "chat_per_s": 0.5},
        "teamspirit": {"max_upload_mb": 40},
    }


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (["telegram.local"], "not PLATFORM.NAME=VALUE"),
        (["local=true"], "not PLATFORM.NAME=VALUE"),
        (["icq.local=true"], "icq is not among the platforms"),
        (["telegram.local=true", "telegram.local=false"], "given twice"),
        (["telegram.local=["], "is not a value"),
    ],
)
def test_a_wrong_command_line_is_explained(entries: list[str], words: str) -> None:
    with pytest.raises(OptionFault, match=words):
        parse_options(entries, ("telegram", "slack"))
