"""docs/delivery.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_every_test_it_names_exists() -> None:
    named = NAMED.findall((ROOT / "docs" / "delivery.md").read_text(encoding="utf-8"))
    assert len(named) > 30
    for path, test in named:
        source = ROOT / path
        assert source.is_file(), path
        assert not test or re.search(rf"^(async )?def {test}\(", source.read_text(encoding="utf-8"), re.MULTILINE), (
            f"{path}::{test}"
        )
