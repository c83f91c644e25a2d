"""Webhook delivery: updates are posted to the bot's URL with the secret header, again with growing delay until they are accepted.

Source: platforms.md 1.1 (tdlib/telegram-bot-api WebhookActor). Updates are delivered one after another, unless a swap is commanded.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from adapters.telegram.emulator.updates import UpdateQueue

_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 60.0
_ANSWER_S = 60.0


class Webhooks:
    """The webhooks of all bots; each has one delivering task."""

    def __init__(self) -> None:
        self._hooks: dict[int, _Hook] = {}

    def set(self, bot_id: int, queue: UpdateQueue, url: str, secret: str) -> None:
        previous = self._hooks.pop(bot_id, None)
        if previous is not None:
            previous.cancel()
        queue.webhook_url = url
        if url:
            self._hooks[bot_id] = _Hook(queue, url, secret)

    def last_error(self, bot_id: int) -> dict[str, Any]:
        hook = self._hooks.get(bot_id)
        return {"last_error_message": hook.error, "last_error_date": hook.error_at} if hook and hook.error else {}

    def swap_next(self) -> None:
        for hook in self._hooks.values():
            hook.swap = True

    async def close(self) -> None:
        hooks = list(self._hooks.values())
        self._hooks.clear()
        for hook in hooks:
            hook.cancel()
        await asyncio.gather(*(hook.task for hook in hooks), return_exceptions=True)


class _Hook:
    def __init__(self, queue: UpdateQueue, url: str, secret: str) -> None:
        self.error = ""
        self.error_at = 0
        self.swap = False
        self._queue = queue
        self._url = url
        self._secret = secret
        self._news = asyncio.Event()
        queue.on_change = self._news.set
        self.task = asyncio.create_task(self._deliver(), name="telegram emulator webhook")

    def cancel(self) -> None:
        self._queue.on_change = lambda: None
        self.task.cancel()

    async def _deliver(self) -> None:
        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self._secret
        timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
        delay_s = _FIRST_DELAY_S
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            while True:
                position = 1 if self.swap and len(self._queue) > 1 else 0
                update = self._queue.peek(position)
                if update is None or (self.swap and len(self._queue) < 2):
                    self._news.clear()
                    await self._news.wait()
                elif await self._post(session, update):
                    self._queue.confirm(position)
                    self.swap = False if position else self.swap
                    delay_s = _FIRST_DELAY_S
                else:
                    await asyncio.sleep(delay_s)
                    delay_s = min(delay_s * 2, _LONGEST_DELAY_S)

    async def _post(self, session: aiohttp.ClientSession, update: bytes) -> bool:
        try:
            async with session.post(self._url, data=update) as response:
                if 200 <= response.status < 300:
                    return True
                self.error = f"Wrong response from the webhook: {response.status} {response.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            self.error = f"Connection failed: {type(error).__name__}"
        self.error_at = int(asyncio.get_running_loop().time())
        return False
