"""Buttons, menus and the other small parts of app messages are lines."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.slack.inbound.app_posts import plain, shown

OPTIONS = [{"text": plain("Yes"), "value": "y"}, {"text": plain("No"), "value": "n"}]


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"type": "button", "text": plain("Go"), "url": "https://e.example/go"}, "Go (https://e.example/go)"),
        ({"type": "button", "text": plain("Go"), "value": "1"}, "[Go]"),
        ({"type": "button"}, "[button]"),
        ({"type": "workflow_button", "text": plain("Start")}, "[Start]"),
        ({"type": "static_select", "placeholder": plain("Pick one"), "options": OPTIONS}, "[Pick one]"),
        ({"type": "static_select", "placeholder": plain("Pick"), "initial_option": OPTIONS[1]}, "[No]"),
        ({"type": "multi_static_select", "initial_options": OPTIONS}, "[Yes, No]"),
        ({"type": "datepicker", "initial_date": "2026-11-26"}, "[2026-11-26]"),
        ({"type": "users_select"}, "[users select]"),
        (
            {"type": "overflow", "options": [{"text": plain("Docs"), "url": "https://e.example/d"}, OPTIONS[0]]},
            "Docs (https://e.example/d)\n[Yes]",
        ),
        ({"type": "radio_buttons", "options": OPTIONS, "initial_option": OPTIONS[0]}, "☑ Yes\n☐ No"),
        ({"type": "checkboxes", "options": [{**OPTIONS[0], "description": plain("of course")}]}, "☐ Yes\nof course"),
        (
            {"type": "feedback_buttons", "positive_button": {"text": plain("Good")}, "negative_button": {"text": plain("Bad")}},
            "[Good]\n[Bad]",
        ),
        ({"type": "icon_button", "icon": "trash", "text": plain("Delete")}, "[Delete]"),
        ({"type": "hologram", "text": plain("Beam")}, "[Beam]"),
        ({"type": "hologram"}, "[hologram]"),
    ],
)
def test_buttons_and_menus(element: dict[str, Any], expected: str) -> None:
    assert shown(text="", blocks=[{"type": "actions", "elements": [element]}]) == expected
