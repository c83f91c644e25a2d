"""What the loaded configuration answers by itself."""

from __future__ import annotations

from typing import Any

ROUTE = "routes: [{name: a, between: [polly/#x, owl/y]}]\n"


def test_an_account_that_is_not_there_is_told_with_those_that_are(zoo: Any) -> None:
    config = zoo.good(ROUTE)
    why = config.why_no_account("poly")
    assert "'poly'" in why
    assert all(str(name) in why for name in config.accounts)
