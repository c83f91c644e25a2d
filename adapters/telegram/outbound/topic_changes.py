"""Topics of forums that follow their partners: renamed, closed, reopened, deleted. Called by `adapter`.

Source: editForumTopic, closeForumTopic, reopenForumTopic (the right can_manage_topics, unless the bot made the topic),
deleteForumTopic (can_delete_messages), Bot API 10.3; General has calls of its own (editGeneralForumTopic and so on). The texts of
refusals: tdlib/telegram-bot-api and public reports, November 2026."""

from __future__ import annotations

from typing import Any

from adapters.common.http_errors import Effect
from adapters.telegram.errors import Refused
from adapters.telegram.outbound.encode import GENERAL_TOPIC
from adapters.telegram.outbound.new_threads import NAME_LENGTH
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call
from bridge.model.errors import ChatDown, NoThread, Rejected, ThreadGone
from bridge.model.threads import ThreadCopy

_IS_SO = ("topic_not_modified",)
_GONE = ("topic_id_invalid", "topic_deleted", "message thread not found")
_RIGHTS = ("chat_admin_required", "not enough rights")


class TopicChanges:
    """Of one account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def rename_thread(self, thread: ThreadCopy, title: str) -> None:
        await self._change("EditForumTopic", thread, name=title[:NAME_LENGTH])

    async def close_thread(self, thread: ThreadCopy, closed: bool) -> None:
        await self._change("CloseForumTopic" if closed else "ReopenForumTopic", thread)

    async def delete_thread(self, thread: ThreadCopy) -> None:
        if thread.thread_id == GENERAL_TOPIC:
            raise Rejected("the General topic cannot be deleted")
        try:
            await self._change("DeleteForumTopic", thread)
        except NoThread:
            return

    async def _change(self, method: str, thread: ThreadCopy, **more: str) -> None:
        params: dict[str, Any] = {"chat_id": thread.chat_id, **more}
        if thread.thread_id == GENERAL_TOPIC:
            method = method.replace("ForumTopic", "GeneralForumTopic")
        else:
            params["message_thread_id"] = int(thread.thread_id)
        try:
            await self._transport.call(Call(method, params), effect=Effect.IDEMPOTENT)
        except Refused as refusal:
            if refusal.says(*_IS_SO):
                return
            if refusal.says(*_GONE):
                raise ThreadGone(refusal.reason) from None
            raise
        except ChatDown as error:
            said = error.reason.lower()
            if any(sign in said for sign in _GONE):
                raise ThreadGone(error.reason) from None
            if any(sign in said for sign in _RIGHTS):
                raise Rejected(error.reason) from None  # messages are taken all the same
            raise
