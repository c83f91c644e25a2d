"""Slack to the bridge: events received and decoded, history read, files downloaded."""
