"""From Discord to the core: the gateway's events, history, files; each payload decoded into events."""
