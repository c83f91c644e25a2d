"""The section `otel`: where spans are sent, and what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.registry import load_platform
from bridge.config import otel
from bridge.config.load import load_config
from bridge.config.model import Loaded
from bridge.config.otel_model import OtelConfig
from bridge.config.plain_options import Secret
from bridge.config.restart import needing_restart
from bridge.config.secrets import secrets_of

HEAD = """\
accounts:
  tg: {platform: telegram, token: "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}
  guild: {platform: discord, token: a.discord.token}
routes:
  - {name: lobby, between: [tg/-1001234567890, guild/112233445566778899]}
"""


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load(section: str, **environ: str) -> Loaded:
        path = tmp_path / "bridge.yaml"
        path.write_text(HEAD + section)
        path.chmod(0o600)
        return load_config(path, environ, load_platform)

    return load


def test_it_is_off_unless_a_collector_is_named(load: Any) -> None:
    assert load("").config.otel is None
    assert load("otel:\n").config.otel is None


def test_a_collector_and_its_secrets(load: Any) -> None:
    given = "otel: {endpoint: 'http://127.0.0.1:4318/', headers: {X-Token: '${T}'}, sample: 0.1}"
    config = load(given, T="hush-hush").config
    assert config.otel == OtelConfig(
        endpoint="http://127.0.0.1:4318/v1/traces", headers=(("X-Token", Secret("hush-hush")),), sample=0.1
    )
    assert "hush-hush" in secrets_of(config)
    assert "hush-hush" not in repr(config)
    assert load("otel: {endpoint: 'https://x.example/otlp/v1/traces'}").config.otel.endpoint == "https://x.example/otlp/v1/traces"
    assert needing_restart(load("").config, config) == ("otel",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("otel: {}", "otel"),
        ("otel: {endpoint: here}", "otel.endpoint"),
        ("otel: {endpoint: 'http://127.0.0.1:4318', sample: 2}", "otel.sample"),
        ("otel: {endpoint: 'http://127.0.0.1:4318', sampel: 1}", "otel.sampel"),
        ("otel: 5", "otel"),
    ],
)
def test_faults_are_at_their_keys(load: Any, given: str, said: str) -> None:
    loaded = load(given)
    assert loaded.config is None
    assert [fault.key for fault in loaded.faults] == [said]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ('{"X Token": a}', "has a name that no header can have: 'X Token'"),
        ('{"X-Tök": a}', "has a name that no header can have: 'X-Tök'"),
        ('{"": a}', "has a name that no header can have: ''"),
        ('{X-Token: "hush\\n"}', "has a value for X-Token that cannot be sent"),
        ('{X-Token: "hush\\r\\nHost: b"}', "has a value for X-Token that cannot be sent"),
        ('{X-Token: "hush €"}', "has a value for X-Token that cannot be sent"),
        ("{Content-Length: '3'}", "must not have Content-Length"),
    ],
)
def test_a_header_that_cannot_be_sent_is_a_fault_at_the_start(load: Any, headers: str, said: str) -> None:
    (fault,) = load(f"otel: {{endpoint: 'http://127.0.0.1:4318', headers: {headers}}}").faults
    assert fault.key == "otel.headers"
    assert said in fault.why
    assert "hush" not in str(fault), "a value is a secret"


def test_without_the_extra_the_section_is_a_fault_with_what_to_do(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "_PACKAGES", ("a_package_that_is_not_there.sdk",))
    (fault,) = load("otel: {endpoint: 'http://127.0.0.1:4318'}").faults
    assert (fault.key, "[otel]" in fault.why) == ("otel", True)
    assert "pip install 'messenger-bridge[otel]'" in str(fault)
