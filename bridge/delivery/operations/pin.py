"""A pin, set or removed: on the message's copy where the target can pin, otherwise a line says so."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.delivery import throttled_calls
from bridge.delivery.copies import copy_here
from bridge.delivery.execution import Execution
from bridge.delivery.operations.notice import notice
from bridge.delivery.operations.tools import Tools
from bridge.journal.contract import Change
from bridge.journal.rules.early import follows_its_message
from bridge.model.adapter import Pins
from bridge.model.errors import Rejected
from bridge.model.events import PinsChanged
from bridge.model.outcomes import Skip


async def pin(event: PinsChanged, run: Execution, tools: Tools) -> Sequence[Change]:
    adapter = run.target.adapter
    if not isinstance(adapter, Pins):
        if follows_its_message(event):
            return [run.skipped(Skip.PIN_REFUSED)]  # a line said so when it came: that needs no copy
        return await notice(event, run, tools)
    copy = copy_here(await tools.link(event.message_id, run), run.target)
    if copy is None:
        return [run.skipped(Skip.PIN_WITHOUT_COPY)]
    run.delivery.at_former_chat = copy.chat_id != run.target.chat.chat_id
    await tools.sender.begin(run)
    try:
        await throttled_calls.pin(adapter, copy, event.pinned, run)
    except Rejected as error:
        return [run.refused(Skip.PIN_REFUSED, error)]
    return [run.delivered()]
