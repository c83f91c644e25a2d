"""From the bridge to the server: messages are encoded, sent, changed, and looked for."""
