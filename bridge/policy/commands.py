"""Commands in chats: recognises messages and reactions that are commands. Pure; called by intake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from bridge.model.events import ChatEvent, MessageCreated, ReactionsChanged
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of

ADMIN = "admin"
"""The role of `people` that may ask how the bridge is, and is told of all of it in private."""
MODERATOR = "moderator"
"""The role of `people` that may delete, mute and retry, and see what becomes of messages."""
_SIGNS = "!/.#"
LONGEST = 200
"""Characters; a longer message is not a command."""
VERBS = ("help", "link", "unlink", "optout", "optin", "delete", "mute", "unmute", "retry", "where", "status")
OF_MODERATORS = frozenset({"delete", "mute", "unmute", "retry", "where", "status"})
_OF_OTHERS = frozenset(VERBS) - {"help", "where", "status"}


class Listen(msgspec.Struct, frozen=True):
    """An account, or one chat of it as bridge.yaml writes it."""

    account: AccountName
    address: str = ""


class CommandRules(msgspec.Struct, frozen=True, kw_only=True):
    """`delete_on`, `retry_on`: the emoji that stand for the command when a moderator reacts with them."""

    word: str = "!bridge"
    listen: tuple[Listen, ...] = ()
    delete_on: tuple[str, ...] = ()
    retry_on: tuple[str, ...] = ()

    def hears(self, account: AccountName, addresses: tuple[str, ...]) -> bool:
        """Whether commands count in a chat that has these addresses; none: a private chat with the bot."""
        return any(one.account == account and (not one.address or one.address in addresses) for one in self.listen)


class Command(msgspec.Struct, frozen=True, kw_only=True):
    verb: str
    """One of VERBS, or the unknown word that was written."""
    argument: str = ""
    about: str = ""
    """The native id of the message that it concerns: the one replied to, or reacted to."""
    is_reply: bool = False
    """It answers a message, of another chat perhaps."""


def is_for_asker(command: Command) -> bool:
    """Whether it is answered to the one who asked, where a platform can do that in a chat. `where` and `status` name other chats,
    and nobody else needs the help, which any unknown word gets too."""
    return command.verb not in _OF_OTHERS


def command_of(event: ChatEvent, rules: CommandRules, bots: Sequence[str] = ()) -> Command | None:
    """The command; None: it is not one. `bots`: names of the account's own bot. Rights and `listen` are checked elsewhere."""
    author = event.meta.author
    if author is None or author.is_bot or not author.user_id:
        return None
    if isinstance(event, MessageCreated):
        return _said(event, rules.word, bots)
    if isinstance(event, ReactionsChanged):
        verb = _meant(event, rules)
        return None if verb is None else Command(verb=verb, about=event.message_id)
    return None


def _said(event: MessageCreated, word: str, bots: Sequence[str]) -> Command | None:
    content = event.content
    if content.attachments or content.forwarded_from or content.poll or content.location or content.contact or event.also_ids:
        return None
    words = text_of(content.text).strip()
    if len(words) > LONGEST or "\n" in words:
        return None
    first, _, rest = words.partition(" ")
    called = _called(first, word, bots)
    if called is None:
        return None
    verb, _, argument = f"{called} {rest.strip()}".strip().partition(" ")
    about = content.reply_to.message_id if content.reply_to is not None and not content.reply_to.chat_id else ""
    return Command(verb=verb.casefold() or "help", argument=argument.strip(), about=about, is_reply=content.reply_to is not None)


def _called(first: str, word: str, bots: Sequence[str]) -> str | None:
    """The verb that the first word has in it, mostly empty; None: it does not call the bridge. That is the word itself; or, behind
    a slash, what is left of it without signs in front: `/bridge` for `!bridge`, and `/bridge_status`. Telegram's apps mark that as
    a command, may add the name of the bot that is meant, and show a bot in privacy mode nothing else. Source:
    core.telegram.org/bots/features#commands."""
    said, meant = first.casefold(), word.casefold()
    if said == meant:
        return ""
    command, _, bot = said.partition("@")
    bare = meant.lstrip(_SIGNS)
    if not bare or not command.startswith("/") or (bot and bot not in (name.casefold().removeprefix("@") for name in bots)):
        return None  # of a word of signs alone nothing is left: a slash by itself calls nobody
    if command == "/" + bare:
        return ""
    verb = command.removeprefix(f"/{bare}_")
    return verb if verb in VERBS else None


def _meant(event: ReactionsChanged, rules: CommandRules) -> Literal["delete", "retry"] | None:
    added = {_bare(emoji) for emoji in event.added}
    if added & set(map(_bare, rules.delete_on)):
        return "delete"
    return "retry" if added & set(map(_bare, rules.retry_on)) else None


def _bare(emoji: str) -> str:
    """Platforms send the same emoji with and without U+FE0F, the emoji variation selector."""
    return emoji.replace("\ufe0f", "")
