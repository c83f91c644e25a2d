"""The new name of a chat: the target's chat gets it where the end wants that and the bot may, otherwise a line tells it."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.delivery.execution import Execution
from bridge.delivery.operations.notice import notice
from bridge.delivery.operations.tools import Tools
from bridge.identity.names import shorten, show_name
from bridge.journal.contract import Change
from bridge.model.abilities import RenamesChats
from bridge.model.errors import Rejected, RetryLater
from bridge.model.events import ChatRenamed
from bridge.policy.routing import Renames

_NAME_LENGTH = 100
_PATIENCE_S = 5.0
"""Platforms let a chat be renamed a few times in ten minutes: the messages behind it do not wait so long."""


async def rename(event: ChatRenamed, run: Execution, tools: Tools) -> Sequence[Change]:
    adapter, name = run.target.adapter, shorten(show_name(event.name), _NAME_LENGTH)
    is_of_chats = event.meta.thread_id is None and run.pending.thread_id is None
    wanted = run.target.options.renames is Renames.CHAT and is_of_chats and bool(name) and not run.delivery.parts
    if not wanted or not isinstance(adapter, RenamesChats):
        return await notice(event, run, tools)
    posted, chat = tools.sender.posted, run.target.chat
    await tools.sender.begin(run)
    posted.renaming(chat, name, run.clock.monotonic_s())
    try:
        now = await run.target.call(adapter.rename_chat(chat.chat_id, name))
    except RetryLater as error:
        if not error.rate_limited or (error.after_s or 0.0) <= _PATIENCE_S:
            raise
    except Rejected:
        pass
    else:
        posted.renamed(chat, name, now)
        return [run.delivered()]
    posted.not_renamed(chat)
    run.delivery.part_over()
    return await notice(event, run, tools)
