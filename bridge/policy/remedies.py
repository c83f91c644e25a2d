"""What an admin can do about something that a rule left out, in words for `trace`, `status` and the ops chat. Pure.

Every rule is in `REMEDIES` or in `NOTHING_TO_DO`."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.model.outcomes import Skip, SkipRule, rule_of

_RELOAD = "in bridge.yaml, then messenger-bridge reload"
_RIGHTS = "messenger-bridge check --online says whether the bot lacks a right"


def _switch(option: str) -> str:
    return f"if it should cross, set {option} {_RELOAD}"


REMEDIES: Mapping[Skip, str] = {
    Skip.FILTER: f"if it should cross, change that line {_RELOAD}",
    Skip.NOT_KEPT: f"if it should cross, add a keep line for it to the filter {_RELOAD}",
    Skip.THREADS_OFF: _switch("threads: native"),
    Skip.EDITS_OFF: _switch("edits: true"),
    Skip.DELETES_OFF: _switch("deletes: true"),
    Skip.REACTIONS_OFF: _switch("reactions: native"),
    Skip.POLL_VOTES_OFF: _switch("poll_votes: true"),
    Skip.MEMBERSHIP_OFF: _switch("membership: true"),
    Skip.RENAMES_OFF: _switch("renames: line"),
    Skip.PINS_OFF: _switch("pins: true"),
    Skip.TYPING_OFF: _switch("typing: true"),
    Skip.STATUSES_OFF: _switch("statuses: true"),
    Skip.BOTS_OFF: _switch("bots: true"),
    Skip.ROUTE_REMOVED: f"if it should cross, put the route back {_RELOAD}",
    Skip.DROPPED_BY_ADMIN: "messenger-bridge audit says who dropped it",
    Skip.OPTED_OUT: "only the author can end that: !bridge optin",
    Skip.NOT_RELAYED: f"if it should cross, take relay: false from that person {_RELOAD}",
    Skip.MUTED: "messenger-bridge people list says who is muted, messenger-bridge unmute PERSON ends it",
    Skip.OTHER_BRIDGE: "another bridge mirrors the same chats: take them out of one of the two",
    Skip.REACTION_REFUSED: _RIGHTS,
    Skip.PIN_REFUSED: _RIGHTS,
    Skip.EDIT_REFUSED: _RIGHTS,
    Skip.DELETE_REFUSED: _RIGHTS,
}

NOTHING_TO_DO = frozenset(
    {
        Skip.COMMAND,
        Skip.EDIT_WITHOUT_COPY,
        Skip.DELETED_BEFORE,
        Skip.SUPERSEDED,
        Skip.DELETE_WITHOUT_COPY,
        Skip.REACTION_WITHOUT_COPY,
        Skip.VOTES_WITHOUT_COPY,
        Skip.POLL_UNKNOWN,
        Skip.VOTES_SHOWN_LATER,
        Skip.REACTIONS_SHOWN_LATER,
        Skip.PIN_WITHOUT_COPY,
        Skip.THREAD_WITHOUT_PARTNER,
        Skip.THREAD_CHANGED_SINCE,
        Skip.THREAD_GONE,
        Skip.COPY_DELETED,
        Skip.COPY_GONE,
        Skip.NOTHING_CHANGED,
        Skip.LEFT_BEHIND,
        Skip.CANNOT_EDIT,
        Skip.CANNOT_DELETE,
        Skip.CANNOT_REACT,
        Skip.MERGED_AND_CANNOT_EDIT,
        Skip.TYPING_NOT_KEPT,
        Skip.NOTICE_STORM,
    }
)
"""What it would apply to is not there, or the platform cannot: what became of the message itself says more."""

FILE_REMEDY = "the limit is the platform's or max_file_mb; with web.public in bridge.yaml a link stands in its place"

_BY_DEFAULT = frozenset(
    {Skip.MEMBERSHIP_OFF, Skip.RENAMES_OFF, Skip.PINS_OFF, Skip.TYPING_OFF, Skip.STATUSES_OFF, Skip.DROPPED_BY_ADMIN}
)
"""Off unless an admin asks for it, or done by one: nobody misses it."""


def remedy(rule: SkipRule) -> str:
    """Empty: there is nothing to do."""
    return REMEDIES.get(rule_of(rule), "")


def is_missed(rule: SkipRule) -> bool:
    """Whether somebody may wonder where something is."""
    found = rule_of(rule)
    return found in REMEDIES and found not in _BY_DEFAULT
