"""One simulated month of a 50-chat team, checked like every other history:

    python -m tests.faults.month --seed N [--days D] [--chats C] [--messages-a-day M]

Prints a summary; ends with 1 and the reason if a promise was broken. The same seed is always the same month.
"""

from __future__ import annotations

import argparse
import logging
import resource
import sys
import tempfile
import time
from pathlib import Path

import structlog

from bridge.model.capabilities import Rates, Window
from tests.faults.checks import Broken, check
from tests.faults.simulation import DAY_S, Plan, Simulation, play

TWENTY_A_MINUTE = Rates(per_chat=(Window(messages=20, span_s=60.0, burst=5),))


def plan_of(*, seed: int, days: float, chats: int, messages_a_day: int) -> Plan:
    return Plan(
        seed=seed,
        chats=chats,
        messages=max(1, round(messages_a_day * days)),
        duration_s=days * DAY_S,
        office_hours=True,
        deaths=max(1, round(days / 3)),
        clock_steps=max(1, round(days / 5)),
        rates={"three": TWENTY_A_MINUTE},
    )


def summary(simulation: Simulation, took_s: float) -> str:
    posted = {platform.name: sum(map(len, platform.chats.values())) for platform in simulation.platforms}
    reasons: dict[str, int] = {}
    for letter in simulation.letters:
        reasons[letter.reason] = reasons.get(letter.reason, 0) + 1
    lines = [
        f"seed {simulation.plan.seed}, digest {simulation.digest}: {simulation.plan.duration_s / DAY_S:g} days in {took_s:.0f} s",
        f"said: {sum(len(platform.said) for platform in simulation.platforms)} messages in {simulation.plan.chats} chats",
        f"posted: {posted}, in {sum(platform.sends for platform in simulation.platforms)} requests; "
        f"{simulation.merged} of them merged",
        f"deaths: {simulation.deaths}, boundaries crossed: {simulation.boundaries}",
        f"dead letters: {len(simulation.letters)} {reasons or ''}",
        f"in memory at most: {simulation.most_queued} deliveries of one lane, {simulation.most_tasks} tasks; "
        f"peak RSS, with all that people said: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB",
        f"journal: {simulation.journal_path.stat().st_size // 1024} KiB",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--chats", type=int, default=50)
    parser.add_argument("--messages-a-day", type=int, default=1000)
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    plan = plan_of(seed=chosen.seed, days=chosen.days, chats=chosen.chats, messages_a_day=chosen.messages_a_day)
    with tempfile.TemporaryDirectory(prefix="mb-month-") as folder:
        began_s = time.monotonic()
        simulation = play(plan, Path(folder))
        print(summary(simulation, time.monotonic() - began_s))
        try:
            check(simulation)
        except Broken as broken:
            print(f"BROKEN: {broken}")
            print("\n".join(["the last that happened:", *list(simulation.trace)[-30:]]))
            return 1
    print("every promise was kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
