"""`monitoring/` is what `messenger-bridge monitoring` writes, and names no metric that there is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from bridge.cli.monitoring import RULES, documents
from bridge.observability.alerts import ALERTS
from tests.layout.test_observability import rows

ROOT = Path(__file__).parents[3]


def test_the_files_of_the_tree_are_up_to_date() -> None:
    for name, text in documents().items():
        assert (ROOT / "monitoring" / name).read_text(encoding="utf-8") == text, "make monitoring"


def test_it_writes_both_and_replaces_what_was_there(cli: Any, folder: Path) -> None:
    (folder / "new").mkdir()
    (folder / "new" / RULES).write_text("of an earlier version")
    assert cli("monitoring", "new").code == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in (folder / "new").iterdir()} == documents()


def test_a_folder_that_cannot_be_written_is_named(cli: Any, folder: Path) -> None:
    (folder / "file").write_text("")
    done = cli("monitoring", "file/below")
    assert done.code == 1
    assert "file/below cannot be written" in done.err


def test_every_metric_in_them_is_one_of_the_page() -> None:
    known = {name for name, _ in rows("The metrics")}
    for text in documents().values():
        named = set(re.findall(r"messenger_bridge_(\w+)", text))
        assert len(named) > 8
        assert {re.sub("^lag_seconds_bucket$", "lag_seconds", name) for name in named} <= known


def test_alerts_say_what_to_do() -> None:
    found: Any = yaml.safe_load(documents()[RULES])
    alerts = found["groups"][0]["rules"]
    assert [one["alert"] for one in alerts] == [alert.name for alert in ALERTS]
    assert len({one["alert"] for one in alerts}) == len(alerts)
    for one in alerts:
        assert one["labels"]["severity"] in ("critical", "warning")
        assert all(one["annotations"][name] for name in ("summary", "description"))
