"""The responses to failed attempts, as text and as JSON data. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bridge.model.moments import moment

if TYPE_CHECKING:
    from bridge.journal.contract import StoredAnswer


def answer_lines(answers: Iterable[StoredAnswer]) -> Iterator[str]:
    """One line for each attempt, oldest first."""
    for one in answers:
        answer = one.answer
        status = f"HTTP {answer.status}" if answer.status is not None else "no answer"
        body = f": {answer.body}" if answer.body else ""
        yield f"attempt    {moment(one.at)}  {status} after {answer.took_s:.3g} s{body}"


def answers_data(answers: Iterable[StoredAnswer]) -> list[dict[str, Any]]:
    return [{"at": one.at, "status": one.answer.status, "took_s": one.answer.took_s, "body": one.answer.body} for one in answers]
