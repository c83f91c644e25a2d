"""What several checks share: waiting for copies, and the verdict where a messenger can do less."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.common.emulation.contract import SeenMessage
from bridge.sandbox.selftest.room import Room, each
from bridge.sandbox.selftest.verdict import OK, Failed, Verdict, degraded

Verdicts = dict[str, Verdict]

AUTHOR, OTHER = "Anna", "Boris"


async def copies_of(room: Room, targets: Sequence[str], words: str) -> tuple[dict[str, SeenMessage], Verdicts]:
    """The copies on the targets where they arrived, and the verdicts of those where they did not."""
    copies: dict[str, SeenMessage] = {}

    async def judge(target: str) -> Verdict:
        copies[target] = await room.copy(target, words)
        return OK

    verdicts = await each(targets, judge)
    return copies, {target: verdict for target, verdict in verdicts.items() if target not in copies}


async def crosses_at_least(room: Room, origin: str, targets: Sequence[str], words: str, reason: str) -> Verdicts:
    """Where people of the origin cannot do what is to be checked, for this reason: their words must arrive nevertheless."""
    await room.say(origin, AUTHOR, words)

    async def judge(target: str) -> Verdict:
        await room.copy(target, words)
        return degraded(reason)

    return await each(targets, judge)


def by_other_means(declared: str, what: str) -> Verdict:
    if not declared:
        raise Failed(f"{what} is shown by other means, though the capabilities declare it native")
    return degraded(declared)
