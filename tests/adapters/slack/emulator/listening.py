"""Slack's own client libraries as the emulator's tests use them."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.emulator import SlackEmulator


class Listener:
    """slack_sdk's own Socket Mode client; acknowledges when `acks` is on."""

    def __init__(self, emulator: SlackEmulator) -> None:
        self.requests: list[SocketModeRequest] = []
        self.frames: list[dict[str, Any]] = []
        self.acks = True
        web = AsyncWebClient(base_url=f"{emulator.base_url}/api/")
        self.client = SocketModeClient(app_token=emulator.workspace.app_token, web_client=web, ping_interval=1)
        self.client.socket_mode_request_listeners.append(self._on_request)  # type: ignore[arg-type]
        self.client.message_listeners.append(self._on_frame)  # type: ignore[arg-type]
        self.client.logger.setLevel(logging.CRITICAL)

    async def _on_request(self, client: SocketModeClient, request: SocketModeRequest) -> None:
        self.requests.append(request)
        if self.acks:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async def _on_frame(self, client: SocketModeClient, message: dict[str, Any], raw: str | None = None) -> None:
        self.frames.append(message)

    def events(self) -> list[dict[str, Any]]:
        return [request.payload["event"] for request in self.requests]


async def error_of(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])
