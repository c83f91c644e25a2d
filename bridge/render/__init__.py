"""From an event to what a target's chat gets: text laid out, split and degraded to the target's capabilities. Pure."""
