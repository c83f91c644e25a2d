"""Every inbound kind has a payload: KINDS.md lists them, and is compared with the corpus, with the libraries that follow the
platforms' references, and with what the adapters know by name."""

from __future__ import annotations

import importlib
import inspect
from collections import defaultdict
from enum import Enum
from typing import Any

import discord
import pytest
from slack_sdk.models.blocks import block_elements, blocks

from adapters.discord.inbound.gateway import EVENTS
from adapters.registry import load_platform
from adapters.slack.inbound.receiver import CONTROL_EVENTS
from adapters.slack.inbound.subtypes import CHANGES, NEWS, SKIPPED, SPOKEN
from tests.corpus.case import cases
from tests.corpus.kinds import INVENTED, kinds_of, listed

LISTED = listed()
BEGINS_A_SESSION = frozenset({"READY"})
"""The server behind the cases sends it by itself."""


def names(platform: str, family: str) -> set[str]:
    """As listed, without what is invented."""
    return {name for name in LISTED[platform][family] if not name.endswith(INVENTED)}


def values(enum: type[Enum]) -> set[str]:
    return {str(member.value) for member in enum}


def shown() -> dict[str, dict[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for case in cases():
        for payload in case.payloads:
            for kind in kinds_of(case.origin, payload):
                family, _, name = kind.partition(": ")
                found[case.origin][family].add(name)
    return found


SHOWN = shown()


@pytest.mark.parametrize("platform", sorted({*LISTED, *SHOWN}))
def test_every_kind_that_is_listed_has_a_payload_and_every_kind_of_a_payload_is_listed(platform: str) -> None:
    told = {family: {name.removesuffix(INVENTED) for name in kinds} for family, kinds in LISTED[platform].items()}
    without_payload = {family: sorted(kinds - SHOWN[platform].get(family, set())) for family, kinds in told.items()}
    not_listed = {family: sorted(kinds - told.get(family, set())) for family, kinds in SHOWN[platform].items()}
    assert {family: kinds for family, kinds in without_payload.items() if kinds} == {}, "add a payload"
    assert {family: kinds for family, kinds in not_listed.items() if kinds} == {}, "add to KINDS.md"


def test_a_list_of_a_kind_without_a_payload_would_fail() -> None:
    assert "hologram" in SHOWN["telegram"]["field"]
    assert "hologram" not in names("telegram", "field")
    assert not {"event", "subtype", "block"} - set(LISTED["slack"])


def aiogram(module: str, name: str) -> Any:
    load_platform("telegram").preload()
    return getattr(importlib.import_module(f"aiogram.{module}"), name)


def fields(module: str, name: str) -> set[str]:
    return {field.alias or key for key, field in aiogram(f"types.{module}", name).model_fields.items()}


def test_telegrams_kinds_are_those_of_the_bot_api() -> None:
    assert names("telegram", "field") == fields("message", "Message")
    assert names("telegram", "update") == fields("update", "Update") - {"update_id"}
    assert names("telegram", "poll media") == fields("poll_media", "PollMedia")
    assert names("telegram", "button") == fields("inline_keyboard_button", "InlineKeyboardButton") - {
        "text",
        "style",
        "icon_custom_emoji_id",
    }
    enums = {
        "entity": ("message_entity_type", "MessageEntityType"),
        "rich block": ("rich_block_type", "RichBlockType"),
        "rich text": ("rich_text_type", "RichTextType"),
        "origin": ("message_origin_type", "MessageOriginType"),
        "reaction": ("reaction_type_type", "ReactionTypeType"),
        "paid media": ("paid_media_type", "PaidMediaType"),
        "chat": ("chat_type", "ChatType"),
    }
    for family, (module, name) in enums.items():
        assert names("telegram", family) == values(aiogram(f"enums.{module}", name)) - {"unknown", "sender"}, family


def test_discords_kinds_hold_those_of_its_reference() -> None:
    reference = {
        "message": discord.MessageType,
        "component": discord.ComponentType,
        "sticker": discord.StickerFormatType,
        "button": discord.ButtonStyle,
    }
    for family, enum in reference.items():
        assert {str(member.value) for member in enum} <= names("discord", family), family
    assert {str(flag) for flag in discord.MessageFlags.VALID_FLAGS.values()} <= names("discord", "flag")
    assert {str(flag) for flag in discord.flags.AttachmentFlags.VALID_FLAGS.values()} <= names("discord", "attachment flag")
    assert set(EVENTS) - BEGINS_A_SESSION <= names("discord", "event")


def types_of(module: Any, base: type) -> set[str]:
    classes = (kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, base))
    return {kind for each in classes if isinstance(kind := getattr(each, "type", None), str)}


def test_slacks_kinds_hold_those_of_its_library_and_of_the_adapters_tables() -> None:
    assert types_of(blocks, blocks.Block) <= names("slack", "block")
    elements = types_of(block_elements, block_elements.InteractiveElement) | types_of(block_elements, block_elements.BlockElement)
    known = names("slack", "element") | names("slack", "rich text") | names("slack", "leaf")
    assert {kind for kind in elements if kind} <= known, elements - known
    assert {*SPOKEN, *NEWS, *SKIPPED, *CHANGES} <= names("slack", "subtype")
    assert names("slack", "event") >= CONTROL_EVENTS
