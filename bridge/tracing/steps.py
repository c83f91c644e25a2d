"""Puts what became of messages, step by step, into lines and into data for scripts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.journal.tracing import ChangeKind, Step, StepKind, Steps, TracedDelivery
from bridge.model.moments import moment
from bridge.tracing.known import Known


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which steps are shown. Empty: all of them."""

    routes: frozenset[str] = frozenset()
    kinds: frozenset[StepKind] = frozenset()

    def shows(self, step: Step) -> bool:
        """An outcome is of one route; a message that came, of all that take it."""
        if self.kinds and step.kind not in self.kinds:
            return False
        return not self.routes or any(one.route in self.routes for one in step.deliveries)


def gaps(page: Steps, after: int) -> Iterator[str]:
    """What is not among the steps that follow `after`, and why; one line each."""
    if page.last < after:
        yield f"the journal has no step {after}: it is another one, or an older copy; what follows is behind its step {page.last}"
    if page.not_kept:
        yield f"steps {after + 1} to {after + page.not_kept} are no longer kept"
    if page.unknown:
        yield f"{page.unknown} steps are left out: the journal has forgotten their messages, or cannot read their rows"


_CHANGED = {
    ChangeKind.EDIT: "edit of",
    ChangeKind.DELETION: "deletion of",
    ChangeKind.REACTIONS: "reactions on",
    ChangeKind.PIN: "pin of",
    ChangeKind.UNPIN: "unpin of",
    ChangeKind.VOTES: "votes on",
}


def at(step: Step) -> datetime | None:
    """When it happened; None where only its place in the order is known."""
    if step.kind is StepKind.CAME:
        return step.accepted_at
    return None if step.is_past else step.deliveries[0].ended_at


def line(step: Step, known: Known) -> str:
    """`number, time, outcome, message, what became of it`."""
    then = at(step)
    return f"{step.number}  {moment(then) if then else '-':<19}  {step.kind.value:<9}  {said(step, known)}"


def said(step: Step, known: Known) -> str:
    """`message, what became of it`."""
    about = _about(step)
    if step.kind is StepKind.CAME:
        return f"{about}{_targets(step.deliveries)}"
    (one,) = step.deliveries
    if step.is_past:
        return f"{about} -> {_target(one)}: it has gone on since, and is {one.state.value} now"
    why = [known.why(one)]
    if (due := known.due(one)) is not None:
        why.append(f"tried again at {moment(due)}")
    what = "; ".join(filter(None, why))
    return f"{about} -> {_target(one)}{f': {what}' if what else ''}"


def _about(step: Step) -> str:
    if step.change is not None and step.of is not None:
        return f"{_CHANGED[step.change]} {step.of}"
    if step.message is None:
        return f"a notice of {step.origin}"
    return f"{step.message} by {step.author_name}" if step.author_name else str(step.message)


def _targets(deliveries: Sequence[TracedDelivery]) -> str:
    return " -> " + ", ".join(map(_target, deliveries)) if deliveries else ", for no chat"


def _target(one: TracedDelivery) -> str:
    chat = f"{one.target}/{one.thread_id}" if one.thread_id else str(one.target)
    return f"{chat} ({one.route})"


def data(step: Step, known: Known) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "step": step.number,
        "outcome": step.kind.value,
        "at": at(step),
        "message": str(step.message) if step.message else None,
        "origin": str(step.origin),
        "author": step.author_name,
        "change": {"kind": step.change, "of": str(step.of)} if step.change else None,
        "accepted_at": step.accepted_at,
        "is_past": step.is_past,
        "deliveries": known.deliveries_data(step.deliveries),
    }
