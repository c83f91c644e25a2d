"""What a person sees of a message: the emulator's own reading of it, never the adapter's decoder. Pure."""

from __future__ import annotations

from adapters.common.emulation.contract import SeenMessage
from adapters.webhook.emulator.records import Message


def seen(message: Message) -> SeenMessage:
    raise NotImplementedError("emulator/render.py: seen: what publish() is given")
