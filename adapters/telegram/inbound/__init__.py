"""Telegram to the bridge: polls, updates decoded, files downloaded."""
