"""Where input becomes the bridge's responsibility, and the names of the bridge's own bots."""
