"""The emulated Webhook's file storage."""

from __future__ import annotations


class FileStore:
    """TODO: uploads streamed in, bounded in memory, handed out by their ids."""
