"""A stand-in for Telegram's Bot API server, on loopback. See `server.TelegramEmulator`."""

from adapters.telegram.emulator.rates import Rates
from adapters.telegram.emulator.server import TelegramEmulator

__all__ = ["Rates", "TelegramEmulator", "build"]


def build() -> TelegramEmulator:
    """What the registry looks for."""
    return TelegramEmulator()
