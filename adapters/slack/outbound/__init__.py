"""The bridge to Slack: messages encoded and sent, and found again after an unknown outcome."""
