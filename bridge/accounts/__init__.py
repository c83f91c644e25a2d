"""One account each: connected, restarted, parked, and its health told."""
