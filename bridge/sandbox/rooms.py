"""The rooms of the sandbox's page: which chats there are in every messenger, and what each of them is there to show. Data only."""

from __future__ import annotations

import msgspec


class RoomPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One chat on every messenger, and a route that joins them. `about` tells a newcomer what to try there."""

    name: str
    title: str = ""
    about: str = ""
    with_topics: bool = False
    """Where a messenger has groups with topics, the chat is one."""
    one_way: bool = False
    """Only what is said in the first messenger is relayed."""


LOBBY = "lobby"

PAGE_ROOMS = (
    RoomPlan(
        name=LOBBY,
        title="Lobby",
        about="Everything said here appears in the other columns. Point at a message to answer, react, pin, change or delete it.",
    ),
    RoomPlan(
        name="projects",
        title="Projects",
        about="Open a thread or topic with + or from a message: the others get one of the same name, and what is said in it.",
        with_topics=True,
    ),
    RoomPlan(
        name="news",
        title="News",
        about="A one-way route: only what the first column says is relayed. The mark on each message says what became of it.",
        one_way=True,
    ),
)
