"""A stand-in TeamSpirit server on loopback, speaking the assumed default dialect (README.md of this adapter).

`server` joins the parts: `rest` has a program's calls, `people` a person's acts, `rules` the refusals, `records` the state,
`outgoing` the outgoing webhooks, `files` the file store, `render` the displayed form of markdown. No code is shared with the
adapter: the two implementations of the dialect are independent on purpose.
"""

from __future__ import annotations

from adapters.teamspirit.emulator.server import TeamSpiritEmulator

__all__ = ["TeamSpiritEmulator", "build"]


def build() -> TeamSpiritEmulator:
    """What the registry looks for."""
    return TeamSpiritEmulator()
