"""Options are strict, hide the token, and their faults are found before any connection."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.discord.config import DiscordOptions
from adapters.registry import load_platform


def test_options_are_strict_and_hide_the_token() -> None:
    options = DiscordOptions(token="se.cr.et")
    assert "se.cr.et" not in repr(options)
    for wrong in ({"tokn": "x"}, {"gateway_url": "https://x"}, {"api_url": "x"}, {"webhook_name": "My Discord"}, {"token": ""}):
        with pytest.raises(ValidationError):
            DiscordOptions(**{"token": "x", **wrong})


def test_faults_of_options_are_found_before_any_connection(tmp_path: Path) -> None:
    options = DiscordOptions(token="Bot x.y.z", ca_file=tmp_path / "none.pem")
    assert [fault.key for fault in load_platform("discord").check_options(options)] == ["ca_file", "token"]
    assert load_platform("discord").check_options(DiscordOptions(token="x.y.z")) == []
