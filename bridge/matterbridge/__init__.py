"""Turns a matterbridge configuration into bridge.yaml: `read` its file, `accounts` and `routes` of it, `write` ours.

What matterbridge does with each setting: github.com/42wim/matterbridge, matterbridge.toml.sample and gateway/. Nothing here knows a
platform: what an account or a channel of one becomes is said by its package."""
