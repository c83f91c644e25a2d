"""Notices as messages: lines of the bridge's own about what happened in a chat, as a target can show them. Pure."""

from __future__ import annotations

from bridge.identity.names import Names
from bridge.model.events import MembershipChanged
from bridge.model.rich_text import RichText, normalize
from bridge.render.attachments import Target
from bridge.render.degrade import Losses, degrade
from bridge.render.message import Part, Rendered
from bridge.render.notices import News, line, notice_line
from bridge.render.origin import Origin
from bridge.render.split import Limit, split


def render_notice(text: RichText, *, target: Target) -> Rendered:
    """A line of the bridge itself, in its own name, as the target can show it."""
    losses: Losses = {}
    limit = target.capabilities.limits.text_length
    parts = split(degrade(normalize(text), target.capabilities, losses), Limit(target.measure, limit))
    return Rendered(parts=tuple(Part(text=part, previews=False) for part in parts or [line("…")]), losses=tuple(losses))


def notice_text(event: News, *, origin: Origin, names: Names) -> RichText:
    """One line that says what happened: `Anna joined (General, Slack)`. For `render_notice`."""
    actor = names.plain_name(origin.account, event.meta.author) if event.meta.author else "Somebody"
    member = names.plain_name(origin.account, event.member) if isinstance(event, MembershipChanged) else ""
    place = ", ".join(part for part in (origin.chat_title, origin.title) if part)
    return notice_line(event, actor=actor, member=member, place=place)
