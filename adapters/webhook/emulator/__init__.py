"""A bot program that speaks Standard Webhooks, and lets people talk by it. Shares no code with `decode` and `encode`."""

from adapters.webhook.emulator.server import WebhookEmulator

__all__ = ["WebhookEmulator", "build"]


def build() -> WebhookEmulator:
    """What the registry looks for."""
    return WebhookEmulator()
