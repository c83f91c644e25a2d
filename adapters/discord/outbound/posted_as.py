"""The poster of a copy, as `Receipt.adapter_data` stores it: `webhook:<id>`, `webhook:<id>:named` (name in the text) or `bot`.
Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.model.adapter import Copy

BOT = "bot"
_WEBHOOK = "webhook:"
_NAMED = "named"


@dataclass(frozen=True, slots=True)
class Poster:
    webhook_id: str = ""
    """Empty for the bot itself."""
    is_named: bool = False
    """Whether the author's name stands in the text, since Discord refused to show it above."""

    def __str__(self) -> str:
        if not self.webhook_id:
            return BOT
        return f"{_WEBHOOK}{self.webhook_id}" + (f":{_NAMED}" if self.is_named else "")


def poster_of(copy: Copy) -> Poster:
    if not copy.adapter_data.startswith(_WEBHOOK):
        return Poster()
    webhook_id, _, mode = copy.adapter_data.removeprefix(_WEBHOOK).partition(":")
    return Poster(webhook_id, mode == _NAMED)
