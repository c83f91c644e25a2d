"""From the core to Discord: messages, edits, deletes, reactions and pins, encoded into calls of its API."""
