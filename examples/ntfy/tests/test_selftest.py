"""The sandbox's self-test takes this platform in: what it declares is degraded, and nothing fails."""

from __future__ import annotations

import io
import json

from adapters.registry import load_platform
from bridge.sandbox.selftest import run_self_test


def test_the_self_test_passes_between_ntfy_and_a_platform_of_the_tree() -> None:
    written = io.StringIO()
    assert run_self_test(manifests=load_platform, platforms=("teamspirit", "ntfy"), as_json=True, out=written) == 0, (
        written.getvalue()
    )
    outcomes = {(cell["origin"], cell["check"]): cell["outcome"] for cell in json.loads(written.getvalue())["cells"]}
    assert {check for (origin, check), outcome in outcomes.items() if origin == "ntfy" and outcome == "degraded"} == {
        "formatting",
        "reply",
        "thread",
        "pin",
        "poll",
    }
    assert {check for (origin, check), outcome in outcomes.items() if origin == "teamspirit" and outcome == "degraded"} == {
        "formatting",
        "edit",
        "delete",
        "reply",
        "thread",
        "pin",
        "poll",
    }
