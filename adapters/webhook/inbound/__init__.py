"""Somebody's request to the bridge."""
