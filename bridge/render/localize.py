"""Translates account-specific parts of a text for another account: mentions and custom emoji get the target's ids, or become plain
text. Pure; called by `render`, before `degrade`."""

from __future__ import annotations

from collections.abc import Callable

from bridge.identity.names import UNKNOWN, Names, shorten, show_words
from bridge.identity.people import People
from bridge.model.outcomes import Loss
from bridge.model.refs import AccountName
from bridge.model.rich_text import (
    Emoji,
    Inline,
    Mention,
    MentionKind,
    RichText,
    Text,
    inline_text,
    map_inlines,
    only_texts,
    runs_by_line,
)
from bridge.render.degrade import Losses

_EMOJI_LENGTH = 100


def localize(
    rich: RichText,
    *,
    origin: AccountName,
    target: AccountName,
    people: People,
    may_ping_all: bool,
    losses: Losses,
    names: Names | None = None,
) -> RichText:
    """Within one account ids stay. Elsewhere a mention of a person of the configuration gets their id at the target; those without
    an id there, and mass mentions without permission, become text that pings nobody; custom emoji lose their id. Whom and what a
    mention names is shown as `names` shows it everywhere."""
    if all(map(only_texts, runs_by_line(rich))):
        return rich
    change = _Localizer(origin, target, people, may_ping_all, losses, names or Names(people=people))
    return map_inlines(rich, change)


class _Localizer:
    def __init__(
        self, origin: AccountName, target: AccountName, people: People, may_ping_all: bool, losses: Losses, names: Names
    ) -> None:
        self._origin = origin
        self._target = target
        self._people = people
        self._may_ping_all = may_ping_all
        self._losses = losses
        self._names = names
        self._shown: dict[Inline, Inline] = {}
        """What became of those that were met: a message names the same people again and again."""
        self._by_kind: dict[MentionKind, Callable[[Mention], Inline]] = {
            MentionKind.USER: self._user,
            MentionKind.CHAT: self._chat,
            MentionKind.GROUP: self._group,
            MentionKind.EVERYONE: self._everyone,
        }

    def __call__(self, inline: Inline) -> Inline:
        if type(inline) is Text:
            return inline
        shown = self._shown.get(inline)
        if shown is None:
            shown = self._shown[inline] = self._localized(inline)
        return shown

    def _localized(self, inline: Inline) -> Inline:
        if isinstance(inline, Mention):
            return self._by_kind[inline.kind](inline)
        if isinstance(inline, Emoji):
            native = inline.id if self._origin == self._target else ""
            name = shorten(show_words(inline.name).replace(":", ""), _EMOJI_LENGTH) or "emoji"
            return Emoji(name, native, inline.text, inline.marks, inline.animated)
        return inline

    def _user(self, mention: Mention) -> Inline:
        name = self._names.mentioned_name(self._origin, mention.name, mention.id)
        if self._names.hides(self._origin, mention.id):
            return Text("@" + name, mention.marks)
        if self._origin == self._target:
            native: str | None = mention.id
        else:
            native = self._people.translate(self._origin, mention.id, self._target)
        if native:
            return Mention(MentionKind.USER, native, name, mention.marks)
        self._losses[Loss.MENTION_AS_NAME] = None
        return Text("@" + (name or show_words(mention.id) or UNKNOWN), mention.marks)

    def _chat(self, mention: Mention) -> Inline:
        shown = _with_shown_name(mention)
        return shown if self._origin == self._target else self._as_text(shown, Loss.MENTION_AS_NAME)

    def _group(self, mention: Mention) -> Inline:
        if self._origin == self._target and self._may_ping_all:
            return _with_shown_name(mention)
        return self._as_text(_with_shown_name(mention), Loss.MENTION_AS_NAME)

    def _everyone(self, mention: Mention) -> Inline:
        return mention if self._may_ping_all else self._as_text(_with_shown_name(mention), Loss.MASS_MENTION)

    def _as_text(self, mention: Mention, loss: Loss) -> Text:
        self._losses[loss] = None
        return Text(inline_text(mention), mention.marks)


def _with_shown_name(mention: Mention) -> Mention:
    return Mention(mention.kind, mention.id, show_words(mention.name) or show_words(mention.id) or UNKNOWN, mention.marks)
