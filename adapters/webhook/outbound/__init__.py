"""Messages from the bridge to receivers: encoded, signed, and posted to a URL or kept for fetching."""
