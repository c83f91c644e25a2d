"""What a platform's server was told of a copy, beyond what its page shows. Used by the features and actions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from adapters.common.emulation.contract import SeenMessage
from tests.flows.world import World


def telegram_messages(world: World, seen: Sequence[SeenMessage]) -> Iterator[Any]:
    emulator: Any = world.emulators["telegram"]
    messages = emulator.world.chats[int(world.chats["telegram"].chat_id)].messages
    return (messages[int(one.message_id)] for one in seen)


def slack_messages(world: World, seen: Sequence[SeenMessage]) -> Iterator[Any]:
    emulator: Any = world.emulators["slack"]
    messages = emulator.workspace.channels[world.chats["slack"].chat_id].messages
    return (messages[one.message_id] for one in seen if one.message_id in messages)


def discord_messages(world: World, seen: Sequence[SeenMessage]) -> Iterator[Any]:
    emulator: Any = world.emulators["discord"]
    messages = emulator.world.channels[int(world.chats["discord"].chat_id)].messages
    return (messages[int(one.message_id)] for one in seen)


def is_silent(world: World, target: str, seen: Sequence[SeenMessage]) -> bool:
    match target:
        case "telegram":
            return all(message.silent for message in telegram_messages(world, seen))
        case "discord":
            return all(message.flags & 4096 for message in discord_messages(world, seen))
        case _:
            return False


def has_alt_text(world: World, target: str, seen: Sequence[SeenMessage]) -> bool:
    match target:
        case "slack":
            return any(file.alt_text for message in slack_messages(world, seen) for file in message.files)
        case "discord":
            return any(file.description for message in discord_messages(world, seen) for file in message.attachments)
        case _:
            return False


def is_without_preview(world: World, target: str, seen: Sequence[SeenMessage]) -> bool:
    match target:
        case "telegram":
            options = [message.content.get("link_preview_options") or {} for message in telegram_messages(world, seen)]
            return all(one.get("is_disabled") for one in options)
        case "slack":
            return not any(message.unfurls for message in slack_messages(world, seen))
        case "discord":
            return all(message.flags & 4 for message in discord_messages(world, seen))
        case _:
            return False


def is_hidden(world: World, target: str, seen: Sequence[SeenMessage]) -> bool:
    """Whether a file of the copy is covered until somebody asks for it."""
    match target:
        case "telegram":
            return any(message.content.get("has_media_spoiler") for message in telegram_messages(world, seen))
        case "discord":
            return any(file.is_spoiler for message in discord_messages(world, seen) for file in message.attachments)
        case _:
            return False
