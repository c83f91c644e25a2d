"""What one long message costs each target: 40,000 characters in which every other word is bold, rendered into parts."""

from __future__ import annotations

import time
from typing import Any

from adapters.registry import manifest
from bridge.contract import AdapterContext
from bridge.refs import AccountName
from bridge.split import split
from bridge.text import Mark, Paragraph, RichText, Text


class _NoWeb:
    public_url = ""

    def mount(self, name: str, handler: Any) -> str:
        return ""

    def unmount(self, name: str) -> None:
        pass


async def long_message(*, platform: str, characters: int) -> dict[str, Any]:
    """`cpu_ms` to split it, in `parts`; `passes`: how often each of its characters is measured."""
    given = manifest(platform)
    emulator = given.emulator()
    await emulator.start()
    options = given.options().model_validate(emulator.account_options())
    adapter = given.build(AdapterContext(account=AccountName("bench"), options=options, web=_NoWeb()))
    runs = tuple(Text("a" if number % 2 else " ", Mark.BOLD if number % 2 else 0) for number in range(characters // 2))
    measured = 0

    def fits(text: RichText) -> bool:
        nonlocal measured
        measured += sum(len(getattr(block, "inlines", ())) for block in text.blocks)
        return adapter.measure(text) <= adapter.capabilities.limits.text_length

    began_s = time.process_time()
    parts = split(RichText((Paragraph(runs),)), fits)
    took_s = time.process_time() - began_s
    await adapter.close()
    await emulator.stop()
    return {
        "target": platform,
        "characters": characters,
        "parts": len(parts),
        "passes": round(measured / len(runs), 1),
        "cpu_ms": round(1000 * took_s),
    }
