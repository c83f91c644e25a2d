"""Requests from senders to the bridge: received, verified, decoded and turned into events."""
