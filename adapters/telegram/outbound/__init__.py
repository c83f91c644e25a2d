"""The bridge to Telegram: messages encoded and sent."""
