"""Components: texts, files, buttons and menus, and kinds that nobody knew."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model.events import AttachmentKind
from bridge.model.rich_text import Mark
from tests.adapters.discord.payloads import (
    BOT,
    created,
    runs,
    words,
)

SIGNED = "https://cdn.discordapp.com/attachments/100000000000000001/300000000000000001/graph.png?ex=1&is=2&hm=3"


def test_a_link_button_keeps_its_link_and_other_buttons_their_labels() -> None:
    row = {
        "type": 1,
        "components": [
            {"type": 2, "style": 5, "label": "Open run", "url": "https://ci.example.com/run/1"},
            {"type": 2, "style": 3, "label": "Approve", "emoji": {"name": "✅"}, "custom_id": "a"},
            {"type": 2, "style": 4, "emoji": {"id": "42", "name": "no"}, "custom_id": "b"},
        ],
    }
    menu = {
        "type": 1,
        "components": [{"type": 3, "placeholder": "Assign", "options": [{"label": "Anna"}, {"label": "Bo", "default": True}]}],
    }
    event = created(content="Build failed", author=BOT, components=[row, menu, {"type": 1, "components": [{"type": 5}]}])
    assert words(event) == "Build failed\n🔗 Open run: https://ci.example.com/run/1\n[✅ Approve] [:no:]\n[Bo ▾]\n[menu ▾]"
    assert [run.link for run in runs(event.content.text) if run.link] == ["https://ci.example.com/run/1"]


def test_layouts_of_components_cross_whole() -> None:
    section = {
        "type": 9,
        "components": [{"type": 10, "content": "**Deploy** 7"}],
        "accessory": {"type": 11, "media": {"url": "https://x.example/logo.png"}, "description": "the logo"},
    }
    gallery = {
        "type": 12,
        "items": [{"media": {"url": SIGNED}, "description": "a graph", "spoiler": True}, {"media": {"url": "https://x/2.png"}}],
    }
    file = {
        "type": 13,
        "file": {"url": SIGNED.replace("300000000000000001/graph.png", "300000000000000002/log.txt")},
        "name": "log.txt",
    }
    button = {
        "type": 9,
        "components": [{"type": 10, "content": "Docs"}],
        "accessory": {"type": 2, "style": 5, "url": "https://docs"},
    }
    container = {"type": 17, "components": [section, {"type": 14}, gallery, {"type": 14, "divider": False}, file]}
    event = created(content="", flags=1 << 15, author=BOT, components=[container, button])
    assert words(event) == "Deploy 7\nthe logo: https://x.example/logo.png\n───\nhttps://x/2.png\nDocs\n🔗 https://docs"
    assert [(f.name, f.kind, f.spoiler, f.alt_text) for f in event.content.attachments] == [
        ("graph.png", AttachmentKind.PHOTO, True, "a graph"),
        ("log.txt", AttachmentKind.DOCUMENT, False, ""),
    ]


def test_a_container_behind_a_spoiler_stays_behind_one() -> None:
    inner = [{"type": 10, "content": "the end\n```\ncode\n```"}, {"type": 12, "items": [{"media": {"url": SIGNED}}]}]
    event = created(content="", flags=1 << 15, author=BOT, components=[{"type": 17, "spoiler": True, "components": inner}])
    assert all(run.marks & Mark.SPOILER for run in runs(event.content.text) if run.text.strip())
    assert "code" in words(event)
    assert [f.spoiler for f in event.content.attachments] == [True]


@pytest.mark.parametrize(
    ("component", "shown"),
    [
        ({"type": 99, "label": "a dial"}, "a dial"),
        ({"type": 99, "content": "**bold** news"}, "bold news"),
        ({"type": 99, "components": [{"type": 10, "content": "inside"}]}, "inside"),
        ({"type": 99, "component": {"type": 98, "items": [{"type": 10, "content": "deeper"}]}}, "deeper"),
        ({"type": 99, "url": "https://x.example/a"}, "https://x.example/a"),
        ({"type": 99}, "(something that only Discord can show)"),
        ({"type": "odd", "components": None}, "(something that only Discord can show)"),
        ({"type": 13}, "(a file that Discord tells no address of)"),
    ],
)
def test_components_that_nobody_knew_leave_at_least_a_line(component: dict[str, Any], shown: str) -> None:
    assert words(created(content="", flags=1 << 15, author=BOT, components=[component])) == shown


def test_components_nested_without_end_end() -> None:
    nested: dict[str, Any] = {"type": 10, "content": "bottom"}
    for _ in range(500):
        nested = {"type": 17, "components": [nested]}
    assert words(created(content="top", author=BOT, components=[nested])) == "top\n(more, nested too deeply)"
