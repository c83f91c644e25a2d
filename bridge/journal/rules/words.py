"""The words of a message, as one looks for them."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.model.events import ChatEvent, Content, MessageCreated, MessageEdited
from bridge.model.rich_text import text_of


def has_words(event: ChatEvent, words: str) -> bool:
    """Whether something that people wrote or named in a message contains the words, in any case."""
    if not isinstance(event, MessageCreated | MessageEdited):
        return False
    wanted = words.casefold()
    return any(wanted in text.casefold() for text in _texts(event.content))


def _texts(content: Content) -> Iterator[str]:
    yield text_of(content.text)
    for file in content.attachments:
        yield file.name
        yield file.alt_text
    if content.poll is not None:
        yield content.poll.question
        yield from (option.text for option in content.poll.options)
    if content.location is not None:
        yield content.location.title
        yield content.location.address
    if content.contact is not None:
        yield content.contact.name
