"""What humans do in the emulated Webhook, as its apps let them."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.common.emulation.contract import Upload
from adapters.webhook.emulator.world import World


class People:
    def __init__(self, world: World) -> None:
        self._world = world

    async def say(self, chat_id: str, person: str, text: str, *, reply_to: str, thread_id: str, files: Sequence[Upload]) -> str:
        raise NotImplementedError("emulator/people.py: say: post as a person, and return the message's id")

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        raise NotImplementedError("emulator/people.py: edit")

    async def delete(self, chat_id: str, message_id: str) -> None:
        raise NotImplementedError("emulator/people.py: delete")

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool) -> None:
        raise NotImplementedError("emulator/people.py: react")
