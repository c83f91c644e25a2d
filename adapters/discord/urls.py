"""Where Discord is, if options do not say otherwise."""

from __future__ import annotations

API_URL = "https://discord.com/api/v10"
GATEWAY_URL = "wss://gateway.discord.gg"
CDN_URL = "https://cdn.discordapp.com"
MEDIA_URL = "https://media.discordapp.net"
"""Serves resized pictures, and alone GIF stickers. Source: API reference, "CDN Endpoints"."""
