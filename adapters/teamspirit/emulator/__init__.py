"""A stand-in TeamSpirit server on loopback, speaking the assumed default dialect (README.md of this adapter).

`server` puts it together, `rest` is a program's calls, `people` a person's acts, `rules` what is refused, `records` what the server
remembers, `outgoing` its calls to other people's web servers, `files` its file store, `render` what a person sees of a markdown
text. Nothing here is shared with the adapter: the two readings of the dialect are independent on purpose.
"""

from __future__ import annotations

from adapters.teamspirit.emulator.server import TeamSpiritEmulator

__all__ = ["TeamSpiritEmulator", "build"]


def build() -> TeamSpiritEmulator:
    """What the registry looks for."""
    return TeamSpiritEmulator()
