"""The figures of delivery under failures: messages lost, doubled or out of order, and the time to recover."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

from adapters.common.emulation.contract import Fault, FaultKind
from bench.stage import Relay, Stage

Row = dict[str, Any]
_PATIENCE_S = 120.0


def verdict(stage: Stage, target: str, texts: list[str]) -> Row:
    """The outcome of these texts, posted in this order in one chat."""
    arrivals = stage.arrivals[target]
    places = {text: place for place, text in enumerate(texts)}
    shown = [places[text] for text in itertools.chain(*stage.order[target].values()) if text in places]
    return {
        "said": len(texts),
        "lost": sum(text not in arrivals for text in texts),
        "doubled": sum(arrivals[text].count - 1 for text in texts if text in arrivals),
        "out_of_order": sum(other < one for one, other in itertools.pairwise(shown)),
    }


async def outage(*, seconds: float = 20.0, messages: int = 200, target: str = "discord") -> Row:
    """The target refuses connections while people write."""
    async with Stage(platforms=("telegram", target)) as stage, Relay(stage) as relay:
        await relay.warm_up(target=target)
        await stage.emulators[target].refuse_connections(True)
        texts = [f"outage {number}" for number in range(messages)]
        for text in texts:
            await stage.say("telegram", 0, text)
            await asyncio.sleep(seconds / messages)
        await stage.emulators[target].refuse_connections(False)
        back_s = time.perf_counter()
        arrivals = stage.arrivals[target]
        await stage.until(lambda: all(text in arrivals for text in texts), _PATIENCE_S)
        last_s = max((arrivals[text].at_s for text in texts if text in arrivals), default=0.0)
        return {"target": target, **verdict(stage, target, texts), "last_after_recovery_s": round(last_s - back_s, 2)}


async def killed_in_a_backlog(*, messages: int = 500, target: str = "discord") -> Row:
    """SIGKILL while a backlog is being delivered, then a new start."""
    async with Stage(platforms=("telegram", target)) as stage, Relay(stage) as relay:
        await relay.warm_up(target=target)
        texts = [f"backlog {number}" for number in range(messages)]
        for text in texts:
            await stage.say("telegram", 0, text)
        arrivals = stage.arrivals[target]
        await stage.until(lambda: sum(text in arrivals for text in texts) > messages // 3, _PATIENCE_S)
        await relay.kill()
        await relay.start()
        await stage.until(lambda: all(text in arrivals for text in texts), _PATIENCE_S)
        return {"target": target, **verdict(stage, target, texts)}


async def every_third_send_fails(*, kind: FaultKind, messages: int = 30, target: str = "discord") -> Row:
    """A 429 or a 500 on every third send."""
    operations = {"discord": "*webhooks/{webhook}*", "slack": "chat.postMessage", "telegram": "sendMessage", "teamspirit": "send"}
    origin = "slack" if target == "telegram" else "telegram"
    async with Stage(platforms=(origin, target)) as stage, Relay(stage) as relay:
        await relay.warm_up(origin=origin, target=target)
        stage.emulators[target].inject(Fault(kind=kind, operation=operations[target], every=3, retry_after_s=0.2))
        texts = [f"third {number}" for number in range(messages)]
        for text in texts:
            await stage.say(origin, 0, text)
        arrivals = stage.arrivals[target]
        await stage.until(lambda: all(text in arrivals for text in texts), _PATIENCE_S)
        return {"fault": kind.value, "target": target, **verdict(stage, target, texts)}


async def order_from_discord(*, messages: int = 500) -> Row:
    """A burst from Discord, whose library hands every event to a task of its own."""
    async with Stage(platforms=("discord", "teamspirit")) as stage, Relay(stage) as relay:
        await relay.warm_up(origin="discord", target="teamspirit")
        texts = [f"order {number}" for number in range(messages)]
        for text in texts:
            await stage.say("discord", 0, text)
        arrivals = stage.arrivals["teamspirit"]
        await stage.until(lambda: all(text in arrivals for text in texts), _PATIENCE_S)
        return verdict(stage, "teamspirit", texts)
