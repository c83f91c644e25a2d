"""`messenger-bridge sandbox --self-test`: everything that should cross between each pair of messengers, tried and judged.

`checks` acts as people do and judges what people see; `room` lets it act and wait; `verdict` says what there is to say about a
pair; `table` prints it. `run` puts them together.
"""

from __future__ import annotations

from bridge.sandbox.selftest.run import run_self_test

__all__ = ["run_self_test"]
