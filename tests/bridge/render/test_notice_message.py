"""Lines of the bridge itself about what happened in a chat."""

from __future__ import annotations

import pytest

from bridge.identity.names import Names
from bridge.model.events import (
    Author,
    ChatRenamed,
    MembershipChanged,
    MembershipKind,
    PinsChanged,
    Status,
    StatusChanged,
)
from bridge.model.rich_text import RichText
from bridge.render.notice_message import notice_text, render_notice
from bridge.render.notices import line
from tests.support.rendering import (
    BARE,
    PEOPLE,
    only_text,
)
from tests.support.strategies import (
    ORIGIN,
    meta,
    target,
)

# -- notices ----------------------------------------------------------------------------------------------------------------

KIM = Author(user_id="U5", name="Kim")
BY_KIM = meta(KIM)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (MembershipChanged(meta=BY_KIM, change=MembershipKind.JOINED, member=KIM), "Kim joined (general, Slack)"),
        (MembershipChanged(meta=meta(None), change=MembershipKind.LEFT, member=KIM), "Kim left (general, Slack)"),
        (MembershipChanged(meta=meta(), change=MembershipKind.JOINED, member=KIM), "Anna Petrova added Kim (general, Slack)"),
        (MembershipChanged(meta=meta(), change=MembershipKind.LEFT, member=KIM), "Anna Petrova removed Kim (general, Slack)"),
        (ChatRenamed(meta=BY_KIM, name="new\nname"), "Kim renamed the chat to “new name” (general, Slack)"),
        (ChatRenamed(meta=meta(None), name="x"), "Somebody renamed the chat to “x” (general, Slack)"),
        (PinsChanged(meta=BY_KIM, message_id="1", pinned=True), "Kim pinned a message (general, Slack)"),
        (PinsChanged(meta=BY_KIM, message_id="1", pinned=False), "Kim unpinned a message (general, Slack)"),
        (StatusChanged(meta=BY_KIM, status=Status.AWAY, text="lunch"), "Kim is away: lunch (general, Slack)"),
    ],
)
def test_notices(event: MembershipChanged | ChatRenamed | PinsChanged | StatusChanged, expected: str) -> None:
    text = notice_text(event, origin=ORIGIN, names=Names((), PEOPLE))
    assert only_text(render_notice(text, target=target(BARE))) == expected
    assert render_notice(text, target=target(BARE)).parts[0].sender is None


def test_a_long_notice_is_split_and_an_empty_one_is_still_something() -> None:
    assert len(render_notice(line("word " * 200), target=target()).parts) == 3
    assert len(render_notice(RichText(), target=target()).parts) == 1
