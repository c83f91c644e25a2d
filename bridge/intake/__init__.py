"""Where input becomes the bridge's responsibility, and what the bridge's own bots are called."""
