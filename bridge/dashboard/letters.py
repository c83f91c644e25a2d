"""Dead letters: listed, one in full, retried, dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.dashboard.acting import Actions, whole
from bridge.dashboard.drawing import page
from bridge.dashboard.parts import Parts, Visit
from bridge.journal.contract import DeadLetter, DeadMark

if TYPE_CHECKING:
    from aiohttp import web

SHOWN = 50
_PAGE, _CALLS = 1000, 10
"""Dead letters that are looked at for one page, at most: ten times a thousand."""
MOST_CHOSEN = 1000


async def show(parts: Parts, visit: Visit) -> web.Response:
    route, after = visit.asked("route", 200), visit.asked("after", 15)
    found, goes_on = await _marks(parts, route, int(after) if after.isascii() and after.isdecimal() else 0)
    values: dict[str, Any] = {
        "letters": found,
        "route": route,
        "routes": [one.name for one in parts.config().routes][:500],
        "after": goes_on,
        "is_first": not after,
        "done": _done(visit),
        "now": parts.clock.now(),
    }
    return page(visit, "dead", values)


def _done(visit: Visit) -> str:
    """What was just done, in the query of the page that follows."""
    for word in ("retried", "dropped"):
        if (count := _count(visit, word)) is not None:
            left = _count(visit, "left")
            return f"{word}: {count}" + (f"; left out, since they were not counted: {left}" if left else "")
    return ""


def _count(visit: Visit, word: str) -> int | None:
    count = visit.asked(word, 9)
    return int(count) if count.isascii() and count.isdecimal() else None


async def _marks(parts: Parts, route: str, after: int) -> tuple[list[DeadMark], int]:
    """A page of them, oldest first, and the number behind which the next one begins; 0: there is none."""
    found: list[DeadMark] = []
    for _ in range(_CALLS):
        marks = await parts.journal.dead_marks(after=after, limit=_PAGE if route else SHOWN + 1)
        for mark in marks:
            if len(found) == SHOWN:
                return found, found[-1].delivery_id
            if not route or mark.route == route:
                found.append(mark)
        if len(marks) < (_PAGE if route else SHOWN + 1):
            return found, 0
        after = marks[-1].delivery_id
    return found, after


async def show_one(parts: Parts, visit: Visit) -> web.Response:
    number = visit.asked("id", 15)
    letter = await parts.journal.dead_letter(int(number)) if number.isascii() and number.isdecimal() else None
    if letter is None:
        text = "It was retried or dropped meanwhile, or never was one. The page of the message says what became of it."
        return page(visit, "failed", {"title": f"There is no dead letter {number}", "text": text}, status=404)
    return page(visit, "letter", {"letter": letter, "rows": _rows(letter, visit)})


def _rows(letter: DeadLetter, visit: Visit) -> list[tuple[str, str]]:
    meta = letter.event.meta if letter.event is not None else None
    author = f"{meta.author.name} ({meta.author.user_id})" if meta and meta.author and visit.who.is_known else "–"
    return [
        ("Reason", letter.reason),
        ("Route", letter.route),
        ("To", str(letter.target)),
        ("From", f"{meta.origin}/{meta.thread_id}" if meta and meta.thread_id else str(meta.origin) if meta else "–"),
        ("By", author),
        ("Attempts", str(letter.attempts)),
        ("Parts that arrived", str(letter.parts_sent)),
        ("What", letter.kind),
    ]


# -- what people do -----------------------------------------------------------------------------------------------------------


async def retry(parts: Parts, visit: Visit, actions: Actions) -> web.StreamResponse:
    """The chosen ones are delivered again, in their order."""
    ids = sorted(visit.numbers("id", MOST_CHOSEN))

    done: list[int] = []

    async def work() -> tuple[int, str]:
        dead = await _still_dead(parts, ids)
        await whole(parts.journal.retry_dead(dead), lambda _: done.append(len(dead)))
        return len(dead), f"{len(dead)} retried"

    count = await actions.do(visit.who, "retry", _subject(ids), work, failed=lambda: f"{sum(done)} retried, then it failed")
    return _back(f"dead?retried={count}")


async def drop(parts: Parts, visit: Visit, actions: Actions) -> web.StreamResponse:
    """The chosen ones are given up for good, once that was asked a second time."""
    ids = sorted(visit.numbers("id", MOST_CHOSEN))
    if ids and visit.asked("sure") != "yes":
        return page(visit, "drop", {"ids": ids})

    done: list[int] = []

    async def work() -> tuple[int, str]:
        await whole(parts.journal.drop_dead(ids, at=parts.clock.now()), done.append)
        return sum(done), f"{sum(done)} dropped"

    count = await actions.do(visit.who, "drop", _subject(ids), work, failed=lambda: f"{sum(done)} dropped, then it failed")
    return _back(f"dead?dropped={count}")


async def _still_dead(parts: Parts, ids: list[int]) -> list[int]:
    """Those of them that nobody retried or dropped meanwhile."""
    if not ids:
        return []
    wanted, found, after = set(ids), [], ids[0] - 1
    while True:
        marks = await parts.journal.dead_marks(after=after, limit=_PAGE)
        found += [one.delivery_id for one in marks if one.delivery_id in wanted]
        if len(marks) < _PAGE or marks[-1].delivery_id >= ids[-1]:
            return found
        after = marks[-1].delivery_id


def _subject(ids: list[int]) -> str:
    return f"dead letters {', '.join(map(str, ids))}" if ids else "no dead letter"


def _back(place: str) -> web.Response:
    from aiohttp import web

    from bridge.dashboard.drawing import HEADERS

    return web.Response(status=303, headers={**HEADERS, "Location": place})
