"""From the server to the bridge: the account is received, its payloads are decoded."""
