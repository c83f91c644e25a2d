"""Builders that the tests of `render` share: a content rendered for a target, and what is seen of it."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.identity.names import Names
from bridge.identity.people import People, Person
from bridge.model.adapter import Reply
from bridge.model.capabilities import Feature
from bridge.model.events import (
    AttachmentKind,
    Author,
    Content,
)
from bridge.model.rich_text import plain, to_plain
from bridge.render.extras import Existing
from bridge.render.message import FetchResult, Rendered, Target, render
from tests.support.strategies import (
    ANNA,
    ORIGIN,
    TEAM,
    TEXT_FEATURES,
    TG,
    capabilities,
    created,
    edited,
    target,
)
from tests.support.strategies import (
    fetched as file_of,
)

PHOTO, VIDEO, STICKER = AttachmentKind.PHOTO, AttachmentKind.VIDEO, AttachmentKind.STICKER
PEOPLE = People([Person(name="Anna Petrova", ids={TEAM: "U1", TG: "anna_p"}), Person(name="Bob", ids={TEAM: "U2"})])
NATIVE = capabilities()
NAME_IN_TEXT = capabilities(Feature.SENDER_NAME)
BARE = capabilities(*TEXT_FEATURES, Feature.SENDER_NAME, Feature.REPLY)


def rendered(
    content: Content,
    to: Target | None = None,
    *,
    fetched: list[FetchResult] | None = None,
    reply: Reply | None = None,
    author: Author | None = ANNA,
    people: People = PEOPLE,
    names: Names | None = None,
) -> Rendered:
    return render(
        created(content, author),
        origin=ORIGIN,
        target=to or target(NATIVE),
        fetched=[file_of(a) for a in content.attachments] if fetched is None else fetched,
        reply=reply,
        people=people,
        names=names or Names((), people),
    )


def re_rendered(content: Content, existing: Sequence[Existing] | None, to: Target | None = None, **details: object) -> Rendered:
    return render(
        edited(content),
        origin=ORIGIN,
        target=to or target(NAME_IN_TEXT),
        fetched=[FetchResult(attachment=a) for a in content.attachments],
        reply=None,
        people=PEOPLE,
        names=Names((), PEOPLE),
        existing=existing,
    )


def said(text: str, **details: object) -> Content:
    return Content(text=plain(text), **details)  # type: ignore[arg-type]


def shapes(made: Rendered) -> list[tuple[str, list[str]]]:
    return [(to_plain(part.text), [file.name for file in part.files]) for part in made.parts]


def only_text(made: Rendered) -> str:
    (part,) = made.parts
    return to_plain(part.text)
