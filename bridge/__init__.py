"""The bridge's core. It knows no platform by name; `adapters` does."""
