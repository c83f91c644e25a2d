"""A stand-in for an ntfy server, by its public API (docs/publish.md, docs/subscribe/api.md)."""

from messenger_bridge_ntfy.emulator.server import NtfyEmulator

__all__ = ["NtfyEmulator", "build"]


def build() -> NtfyEmulator:
    """What the registry looks for."""
    return NtfyEmulator()
