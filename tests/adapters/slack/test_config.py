"""Options of an account, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.registry import load_platform
from adapters.slack.config import SlackOptions


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"app_token": "xapp-1"}, "bot_token"),
        ({"bot_token": "xoxb-1", "app_token": "xapp-1", "events": "carrier pigeon"}, "events"),
        ({"bot_token": "xoxb-1", "app_token": "xapp-1", "repliez": "quote"}, "repliez"),
    ],
)
def test_options_that_cannot_work(options: dict[str, str], wanted: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SlackOptions.model_validate(options)
    assert wanted in str(caught.value)
    assert "xoxb-1" not in str(caught.value)


@pytest.mark.parametrize(("events", "wanted"), [("socket", "app_token"), ("http", "signing_secret")])
def test_each_way_of_events_has_its_secret(events: str, wanted: str) -> None:
    options = SlackOptions.model_validate({"bot_token": "xoxb-1", "events": events})
    (fault,) = load_platform("slack").check_options(options)
    assert (fault.key, fault.why) == (wanted, f"{wanted} is missing: events: {events} needs it")


def test_tokens_in_each_others_place(tmp_path: Path) -> None:
    swapped = SlackOptions.model_validate({"bot_token": "xapp-1", "app_token": "xoxb-1", "ca_file": tmp_path / "none.pem"})
    faults = load_platform("slack").check_options(swapped)
    assert [fault.key for fault in faults] == ["bot_token", "app_token", "ca_file"]
    assert "xapp-1" not in f"{swapped!r}{[str(fault) for fault in faults]}"
