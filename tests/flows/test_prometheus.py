"""Prometheus itself reads what the bridge exposes: each query of the board and of the alerts is run against a bridge at work, and
each alert is shown to fire when it should, and not before."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bridge.cli.monitoring import RULES
from bridge.model.outcomes import Outcome, Skip
from bridge.observability.alerts import ALERTS
from bridge.observability.board import PANELS
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually_asked
from tests.support.programs import ROOT, debian, debian_once

RULES_FILE = ROOT / "monitoring" / RULES
BRIDGE = 'instance="127.0.0.1:8081",job="messenger-bridge"'

# -- the rules --------------------------------------------------------------------------------------------------------------


def lag(le: str) -> str:
    return f'messenger_bridge_lag_seconds_bucket{{account="tg",le="{le}"}}'


OK, STARTED = f"messenger_bridge_ok{{{BRIDGE}}}", f"process_start_time_seconds{{{BRIDGE}}}"
FIRING: dict[str, dict[str, str]] = {
    "MessengerBridgeAbsent": {"up": "1x60"},
    "MessengerBridgeNotRelaying": {"messenger_bridge_ok": "0x60"},
    "MessengerBridgeAccountDown": {'messenger_bridge_account_up{account="tg"}': "0x60"},
    "MessengerBridgeAccountParked": {'messenger_bridge_account_state{account="tg",state="parked"}': "1x60"},
    "MessengerBridgeEndDead": {'messenger_bridge_route_ends{route="lobby",status="fail"}': "1x60"},
    "MessengerBridgeDeadLetters": {"messenger_bridge_dead_letters": "2x60"},
    "MessengerBridgeWaitingLong": {'messenger_bridge_oldest_waiting_seconds{account="tg"}': "0+60x60"},
    "MessengerBridgeSlow": {lag("60.0"): "0x60", lag("300.0"): "0+5x60", lag("+Inf"): "0+5x60"},
    "MessengerBridgeRefused": {'messenger_bridge_deliveries_total{account="tg",route="lobby",outcome="dead"}': "0+1x60"},
    "MessengerBridgeNotUnderstood": {'messenger_bridge_events_total{account="tg",outcome="undecodable"}': "0+1x60"},
    "MessengerBridgeGap": {'messenger_bridge_gaps_total{account="tg"}': "0x30 1x30"},
    "MessengerBridgeDiskFull": {'messenger_bridge_disk_free_bytes{folder="journal"}': "1000000x60"},
    "MessengerBridgeRestarts": {
        STARTED: "0+1x60",
        OK: "1x60",
    },
}
"""Series, with their values minute by minute, at which each alert fires after 50 minutes."""

WELL: dict[str, str] = {
    OK: "1x60",
    'messenger_bridge_account_up{account="tg"}': "1x60",
    'messenger_bridge_account_state{account="tg",state="parked"}': "0x60",
    'messenger_bridge_account_state{account="tg",state="up"}': "1x60",
    'messenger_bridge_route_ends{route="lobby",status="fail"}': "0x60",
    'messenger_bridge_route_ends{route="lobby",status="pass"}': "2x60",
    "messenger_bridge_dead_letters": "0x60",
    'messenger_bridge_oldest_waiting_seconds{account="tg"}': "600x60",
    lag("60.0"): "0+500x60",
    lag("300.0"): "0+501x60",
    lag("+Inf"): "0+501x60",
    'messenger_bridge_deliveries_total{account="tg",route="lobby",outcome="dead"}': "9x60",
    'messenger_bridge_deliveries_total{account="tg",route="lobby",outcome="delivered"}': "0+60x60",
    'messenger_bridge_events_total{account="tg",outcome="undecodable"}': "7x60",
    'messenger_bridge_events_total{account="tg",outcome="accepted"}': "0+60x60",
    'messenger_bridge_gaps_total{account="tg"}': "3x60",
    'messenger_bridge_disk_free_bytes{folder="journal"}': "9000000000x60",
    STARTED: "1x30 2x30",
    'process_start_time_seconds{instance="another",job="another"}': "0+1x60",
}
"""A bridge at work, with what happens to a good one: none fires."""


def played(series: dict[str, str], expr: str, count: int) -> dict[str, Any]:
    samples = [{"labels": "{}", "value": count}] if count else []
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": f"count({expr})", "eval_time": "50m", "exp_samples": samples}],
    }


async def test_each_alert_fires_when_it_should_and_none_over_a_bridge_at_work(tmp_path: Path) -> None:
    assert set(FIRING) == {alert.name for alert in ALERTS}
    tests = [played(series, f'ALERTS{{alertname="{name}",alertstate="firing"}}', 1) for name, series in FIRING.items()]
    tests.append(played(WELL, 'ALERTS{alertstate=~"firing|pending"}', 0))
    path = tmp_path / "tests.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES_FILE)], "evaluation_interval": "1m", "tests": tests}))
    code, said = await debian_once("promtool", "test", "rules", str(path))
    assert code == 0, said


async def test_promtool_accepts_the_rules() -> None:
    code, said = await debian_once("promtool", "check", "rules", str(RULES_FILE))
    assert code == 0, said
    assert f"SUCCESS: {len(ALERTS)} rules found" in said


# -- a bridge at work ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[World]:
    """A bridge that has relayed, with a sample of every metric."""
    world = World(tmp_path, ("telegram", "slack"))
    world.settings["web"] = {"admin": {"listen": f"127.0.0.1:{free_port()}"}}
    await world.start_platforms()
    app = await world.start_bridge()
    await world.say("telegram", "counted")
    await world.copy("slack", "counted")
    app.metrics.outcome("slack", "lobby", Outcome.SKIPPED, Skip.EDITS_OFF)
    app.metrics.retried("slack", "RetryLater")
    app.metrics.ignored("slack", "service message")
    app.metrics.keyed("slack", "in", "taken")
    app.metrics.gap("slack")
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


def queries() -> dict[str, str]:
    """All queries of the board, as Grafana sends them, and the metrics of the alerts without their conditions."""
    board = {
        f"{panel.title}: {expr}": expr.replace("$__rate_interval", "1m").replace("$account", ".*").replace("$route", ".*")
        for panel in PANELS
        for expr, _ in panel.queries
    }
    alerts = {
        f"{alert.name}: {metric}": metric
        for alert in ALERTS
        for metric in re.findall(r"(?:messenger_bridge|process)_\w+", alert.expr)
    }
    return board | alerts


async def test_every_query_of_board_and_alerts_finds_what_the_bridge_exposes(busy: World, tmp_path: Path) -> None:
    assert busy.app is not None
    listen = f"127.0.0.1:{free_port()}"
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES_FILE)],
        "scrape_configs": [{"job_name": "messenger-bridge", "static_configs": [{"targets": [f"127.0.0.1:{busy.app.admin_port}"]}]}],
    }
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    options = (f"--config.file={path}", f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address={listen}")
    async with debian("prometheus", *options, "--enable-feature=exemplar-storage"), aiohttp.ClientSession() as session:

        async def ask(path: str, **parameters: str) -> Any:
            try:
                async with session.get(f"http://{listen}/api/v1/{path}", params=parameters) as answer:
                    return json.loads(await answer.read())
            except (aiohttp.ClientError, ValueError) as error:
                return {"status": str(error), "data": {}}  # not up yet

        for name, query in queries().items():
            found = await eventually_asked(
                lambda query=query: ask("query", query=query),
                what=f"{name} finds something",
                holds=lambda found: found["data"].get("result") or found["status"] == "error",
            )
            assert found["status"] == "success", (name, found)
        rules = (await ask("rules"))["data"]["groups"][0]["rules"]
        assert {one["name"]: one.get("lastError", "") for one in rules} == {alert.name: "" for alert in ALERTS}
        found = await ask("query_exemplars", query="messenger_bridge_lag_seconds_bucket", start="0", end="9999999999")
        exemplars = [one for series in found["data"] for one in series["exemplars"]]
        assert exemplars
        assert await busy.app.journal.trace_delivery(int(exemplars[0]["labels"]["delivery"])) is not None


async def test_promtool_finds_no_fault_in_the_exposition(busy: World) -> None:
    assert busy.app is not None
    body, _ = busy.app.metrics.expose("text/plain")
    code, said = await debian_once("promtool", "check", "metrics", given=body)
    assert (code, said) == (0, "")
