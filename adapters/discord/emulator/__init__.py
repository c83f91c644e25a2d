"""A stand-in Discord on loopback: REST v10, gateway, CDN, channel webhooks, with the platform's limits and rights enforced.

`DiscordEmulator` is all that others use. It shares no code with the adapter.
"""

from adapters.discord.emulator.server import DiscordEmulator

__all__ = ["DiscordEmulator", "build"]


def build() -> DiscordEmulator:
    """What the registry looks for."""
    return DiscordEmulator()
