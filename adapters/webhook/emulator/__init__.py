"""An emulated bot program that speaks Standard Webhooks, and through which people write. Shares no code with `decode` and
`encode`."""

from adapters.webhook.emulator.server import WebhookEmulator

__all__ = ["WebhookEmulator", "build"]


def build() -> WebhookEmulator:
    """The name that the registry imports."""
    return WebhookEmulator()
