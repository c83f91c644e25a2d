"""What `dialect` shows has no secret in it, wherever a server may repeat one."""

from __future__ import annotations

from bridge.cli.dialect_subject import masked
from bridge.model.dialects import Complaint, Exchanged, ReadEntry, Step, StepState
from bridge.policy.redact import Masker

SECRET = "a-very-secret-key"


def test_secrets_are_masked_in_every_part_of_a_step() -> None:
    exchange = Exchanged(
        operation="me",
        method="GET",
        url=f"https://x/me?key={SECRET}",
        headers=(("X-Key", SECRET),),
        body={"k": [SECRET]},
        status=401,
        answer={"error": {SECRET: f"unknown key {SECRET}"}, "n": 5, "flag": True},
    )
    step = Step(
        operation="me",
        state=StepState.WRONG,
        detail=SECRET,
        exchanges=(exchange,),
        read=(ReadEntry(entry="id", query="id", found=[SECRET]),),
        complaints=(Complaint(entry="id", why=SECRET, hint=SECRET),),
    )
    shown = masked(step, Masker([SECRET]))
    assert SECRET not in str(shown)
    assert shown.exchanges[0].answer == {"error": {"***": "unknown key ***"}, "n": 5, "flag": True}
    assert shown.state is StepState.WRONG
