"""A stand-in for Slack on loopback: Web API, Socket Mode, HTTP Events API, file upload and download. See `server`."""

from adapters.slack.emulator.server import SlackEmulator

__all__ = ["SlackEmulator", "build"]


def build() -> SlackEmulator:
    """What the registry looks for."""
    return SlackEmulator()
