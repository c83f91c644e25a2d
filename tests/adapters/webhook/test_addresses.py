"""Which ends of an account a route can name: all of them stand in its options, so `check` tells without asking anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.registry import load_platform
from bridge.config.load import load_config

ENDS = "{in_only: {}, posted: {url: 'https://r.example/x'}, fetched: {fetch: true}}"
FILE = """\
accounts:
  hooks: {{platform: webhook, secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, ends: {ends}}}
  tg: {{platform: telegram, token: "123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}
routes: [{{name: a, {route}}}]
web: {{public: {{listen: "127.0.0.1:8080", url: "https://bridge.example.com"}}}}
"""


def faults(tmp_path: Path, route: str) -> list[tuple[str, str]]:
    path = tmp_path / "bridge.yaml"
    path.write_text(FILE.format(ends=ENDS, route=route))
    return [(fault.key, fault.why) for fault in load_config(path, {}, manifests=load_platform).faults]


@pytest.mark.parametrize(
    "route",
    [
        "from: hooks/in_only, to: tg/-1001",
        "from: [hooks/posted, hooks/fetched], to: tg/-1001",
        "from: tg/-1001, to: [hooks/posted, hooks/fetched]",
        "between: [hooks/posted, tg/-1001]",
    ],
)
def test_ends_that_are_there(tmp_path: Path, route: str) -> None:
    assert faults(tmp_path, route) == []


@pytest.mark.parametrize(
    ("route", "key", "why"),
    [
        ("from: hooks/in-only, to: tg/-1001", "routes[0].from", "no end 'in-only': its ends are in_only, posted, fetched"),
        ("from: tg/-1001, to: hooks/nope", "routes[0].to", "no end 'nope'"),
        ("from: tg/-1001, to: hooks/in_only", "routes[0].to", "nothing can be sent to the end 'in_only'"),
        ("between: [hooks/in_only, tg/-1001]", "routes[0].between[0]", "nothing can be sent"),
    ],
)
def test_ends_that_are_not(tmp_path: Path, route: str, key: str, why: str) -> None:
    ((at, said),) = faults(tmp_path, route)
    assert at == key
    assert why in said
