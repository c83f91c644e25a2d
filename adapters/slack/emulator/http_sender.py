"""The HTTP Events API: each event is POSTed, signed, to the app's request URL; 200 within the deadline is the acknowledgement."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time

import aiohttp
import msgspec

from adapters.slack.emulator.deliveries import Deliveries, Delivery
from adapters.slack.emulator.records import Json

_IN_FLIGHT = 32


class HttpSender:
    """Sends to one URL, up to 32 requests at a time, so without a promise of order, as Slack does."""

    def __init__(self, deliveries: Deliveries, *, signing_secret: str) -> None:
        self._deliveries = deliveries
        self.signing_secret = signing_secret
        self.url = ""
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_IN_FLIGHT)

    async def configure(self, url: str) -> None:
        """Register the request URL as an admin would: it must answer the challenge. Raises ValueError if it does not."""
        self._session = self._session or aiohttp.ClientSession()
        challenge = secrets.token_hex(16)
        body = msgspec.json.encode({"type": "url_verification", "challenge": challenge, "token": "deprecated"})
        async with self._session.post(url, data=body, headers=self.headers(body), timeout=aiohttp.ClientTimeout(total=3)) as answer:
            text = await answer.text()
            if answer.status != 200 or challenge not in text:
                raise ValueError(f"the request URL did not answer the challenge (HTTP {answer.status})")
        self.url = url

    def headers(self, body: bytes, *, timestamp: int | None = None) -> dict[str, str]:
        """The signature headers for `body`; `timestamp` in seconds, default now."""
        at = str(int(time.time()) if timestamp is None else timestamp)
        digest = hmac.new(self.signing_secret.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {"Content-Type": "application/json", "X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}"}

    def send(self, delivery: Delivery) -> bool:
        task = asyncio.create_task(self._post(delivery, delivery.envelope_id), name="slack emulator event")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _post(self, delivery: Delivery, envelope_id: str) -> None:
        body = msgspec.json.encode(delivery.payload)
        headers = self.headers(body)
        if delivery.attempt:
            headers |= {"X-Slack-Retry-Num": str(delivery.attempt), "X-Slack-Retry-Reason": _reason(delivery.reason)}
        timeout = aiohttp.ClientTimeout(total=self._deliveries.ack_deadline_s)
        assert self._session is not None, "configure() first"
        try:
            async with self._slots, self._session.post(self.url, data=body, headers=headers, timeout=timeout) as answer:
                await answer.read()
                if answer.status == 200 or answer.headers.get("X-Slack-No-Retry") == "1":
                    self._deliveries.acknowledge(envelope_id)
                else:
                    self._deliveries.failed(envelope_id, "http_error")
        except TimeoutError:
            self._deliveries.failed(envelope_id, "http_timeout")
        except aiohttp.ClientError:
            self._deliveries.failed(envelope_id, "connection_failed")

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None


def _reason(reason: str) -> str:
    return {"timeout": "http_timeout", "no_connection": "connection_failed"}.get(reason, reason)


def event_callback(event_id: str, event: Json, *, team_id: str, app_id: str, bot_user_id: str) -> Json:
    """The outer object of an event."""
    return {
        "token": "deprecated",
        "team_id": team_id,
        "api_app_id": app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team_id,
                "user_id": bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }
