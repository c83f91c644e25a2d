"""The bridge to a receiver's URL."""
