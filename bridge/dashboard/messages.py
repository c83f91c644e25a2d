"""A message's page: what became of it in each chat, as `trace` says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from bridge.dashboard.drawing import page
from bridge.dashboard.parts import Parts, Visit
from bridge.journal.contract import DeliveryStatus
from bridge.journal.tracing import Traced, TracedDelivery
from bridge.tracing.answers import answer_lines
from bridge.tracing.asking import asked_for
from bridge.tracing.conditions import Conditions
from bridge.tracing.finding import Answer, find
from bridge.tracing.known import Known, change_title, left_out, titles

if TYPE_CHECKING:
    from aiohttp import web

_LONGEST_NUMBER = 15
_TONES = {
    DeliveryStatus.DELIVERED: "pass",
    DeliveryStatus.SKIPPED: "off",
    DeliveryStatus.DEAD: "fail",
    DeliveryStatus.HELD: "fail",
}


async def show(parts: Parts, visit: Visit) -> web.Response:
    what = visit.asked("what", 2000)
    if not what:
        return page(visit, "message", {"what": "", "error": "", "found": ()})
    config = parts.config()
    is_number = what.isascii() and what.isdecimal() and len(what) <= _LONGEST_NUMBER
    asked = int(what) if is_number else asked_for(what, config, parts.manifests)
    if isinstance(asked, str):
        return page(visit, "message", {"what": what, "error": asked, "found": ()}, status=404)
    status = await parts.status()
    answer = await find(parts.journal, asked, config, now=parts.clock.now(), conditions=Conditions(lambda: status))
    unknown = answer.why_unknown(asked)
    found = [_traced(traced, answer, parts if visit.who.is_known else None) for traced in answer.found]
    return page(visit, "message", {"what": what, "error": unknown, "found": found}, status=404 if unknown else 200)


def _traced(traced: Traced, answer: Answer, parts: Parts | None) -> dict[str, Any]:
    """`parts`: who looks is signed in, and so sees names, what servers answered, and what was said where that is allowed."""
    known = answer.known
    shown = traced if parts else replace(traced, author_name="")
    return {
        "titles": list(titles(shown)),
        "words": parts.words(traced.original) if parts and traced.original is not None else "",
        "events": [
            {
                "title": "" if event is traced.event else change_title(event, traced),
                "deliveries": [_delivery(one, known, with_answers=parts is not None) for one in event.deliveries],
            }
            for event in (traced.event, *traced.changes)
        ],
        "more": [*left_out(traced), *known.missing(traced)],
    }


def _delivery(one: TracedDelivery, known: Known, *, with_answers: bool) -> dict[str, Any]:
    return {
        "id": one.delivery_id,
        "to": f"{one.target}/{one.thread_id}" if one.thread_id else str(one.target),
        "route": one.route,
        "state": one.state.value,
        "tone": _TONES.get(one.state, "warn"),
        "is_dead": one.state in (DeliveryStatus.DEAD, DeliveryStatus.HELD),
        "at": one.ended_at or known.due(one),
        "why": known.why(one),
        "answers": list(answer_lines(one.answers)) if with_answers else [],
    }
