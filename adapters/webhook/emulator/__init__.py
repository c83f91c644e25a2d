"""A stand-in for Webhook's server, by its public API. Shares no code with `decode` and `encode`."""

from adapters.webhook.emulator.server import WebhookEmulator

__all__ = ["WebhookEmulator", "build"]


def build() -> WebhookEmulator:
    """What the registry looks for."""
    return WebhookEmulator()
