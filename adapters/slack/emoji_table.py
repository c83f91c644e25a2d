"""Slack's emoji names: the common table under the name that this adapter knows it by."""

from __future__ import annotations

from adapters.common.emoji_table import EMOJI_TABLE

__all__ = ["EMOJI_TABLE"]
