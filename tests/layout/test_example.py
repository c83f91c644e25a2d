"""bridge.yaml.example is what an admin begins with: it is right as it stands, it is complete, and it tells the true defaults."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from adapters import registry
from bridge.config.field_types import shape_of
from bridge.config.load import SECTIONS, load_config
from bridge.config.model import Loaded
from bridge.config.otel import OtelSection
from bridge.config.relay import RELAY_KEYS
from bridge.config.schema import schema
from bridge.config.sections import (
    CommandsSection,
    ConditionSection,
    JournalSection,
    LogSection,
    MediaSection,
    OpsSection,
    ShutdownSection,
)
from bridge.config.web import WebSection
from bridge.policy.routing import RelayOptions

EXAMPLE = Path(__file__).parents[2] / "bridge.yaml.example"

ENVIRON = {
    "TELEGRAM_TOKEN": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "SLACK_BOT_TOKEN": "xoxb-1-example",
    "SLACK_APP_TOKEN": "xapp-1-example",
    "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
    "DISCORD_TOKEN": "a-discord-token",
    "TEAMSPIRIT_KEY": "a-teamspirit-key",
    "TEAMSPIRIT_WEBHOOK_PATH": "a-path-that-is-hard-to-guess",
    "TEAMSPIRIT_WEBHOOK_KEY": "a-webhook-key",
    "TEAMSPIRIT_WEBHOOK_SECRET": "a-webhook-secret",
    "TEAMSPIRIT_OLD_WEBHOOK_KEY": "an-old-webhook-key",
    "TEAMSPIRIT_OLD_WEBHOOK_SECRET": "an-old-webhook-secret",
    "TEAMSPIRIT_DUTY_WEBHOOK": "https://im.example.com/hooks/duty",
    "MATTERMOST_WEBHOOK": "https://im.example.com/hooks/all",
    "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "WEBHOOK_SECRET_OF_YESTERDAY": "whsec_eWVzdGVyZGF5LXdhcy1hbm90aGVyLWRheQ==",
    "WEBHOOK_OAUTH2_SECRET": "a-client-secret-of-oauth2",
    "OPS_URL": "json://127.0.0.1",
    "DASHBOARD_PASSWORD": "a-password-of-the-dashboard",
    "ALERTS_SECRET": "what-the-alert-manager-signs-with",
    "ALERTS_SECRET_OF_YESTERDAY": "what-it-signed-with-before",
}

EXAMPLES_ONLY = {
    "journal.path",
    "tg.files_root",
    "tg.proxy",
    "tg.ca_file",
    "spirit.server",
    "spirit.overrides",
    "spirit.variables",
    "spirit.max_upload_mb",
    "spirit.sender_names",
    "spirit.chats",
    "spirit.chats.duty.id",
    "defaults.max_file_mb",
    "defaults.give_up_after_h",
    "defaults.hold_s",
    "defaults.max_age_min",
    "media.spool",
    "web.public",
    "web.public.listen",
    "web.public.url",
    "web.admin",
    "web.admin.listen",
    "web.admin.dashboard",
    "web.admin.dashboard.users",
    "web.admin.dashboard.users.anna.role",
    "web.admin.dashboard.user_header",
    "web.admin.dashboard.trusted_proxies",
    "web.admin.dashboard.operators",
    "ops.chat",
    "spirit.webhook",
    "otel.endpoint",
    "hooks.body",
    "hooks.ends",
    "hooks.ends.alerts.signature",
    "hooks.ends.alerts.signature.scheme",
    "hooks.ends.alerts.signature.header",
    "hooks.ends.alerts.signature.prefix",
    "hooks.ends.alerts.signature.timestamp_header",
    "hooks.ends.alerts.signature.signed",
    "hooks.ends.alerts.form",
    "hooks.ends.alerts.form.title",
    "hooks.ends.alerts.form.fields",
    "hooks.ends.alerts.form.author",
    "hooks.ends.alerts.form.honeypot",
    "hooks.ends.alerts.form.redirect",
    "hooks.ends.alerts.author",
    "hooks.ends.alerts.url",
    "hooks.ends.alerts.gateway",
    "hooks.ends.alerts.client_cert",
    "hooks.ends.alerts.client_key",
    "hooks.ends.alerts.oauth2",
    "hooks.ends.alerts.oauth2.token_url",
    "hooks.ends.alerts.oauth2.client_id",
    "hooks.ends.alerts.oauth2.scope",
}
"""Options without a default that could be shown: the example shows a likely value."""

CONDITIONS = {field.alias or name for name, field in ConditionSection.model_fields.items()}

COMMON = {"proxy", "ca_file", "request_timeout_s", "transfer_timeout_s"}
"""Options that every account has: shown once."""

SECTION_MODELS: Mapping[str, type[BaseModel]] = {
    "journal": JournalSection,
    "media": MediaSection,
    "web": WebSection,
    "log": LogSection,
    "shutdown": ShutdownSection,
    "commands": CommandsSection,
    "ops": OpsSection,
    "otel": OtelSection,
}


def everything_on() -> str:
    """The example with every option that is commented out, taken in."""
    return re.sub(r"^( *)#(?=[a-z_0-9]+:)", r"\1", EXAMPLE.read_text(), flags=re.M)


def load(text: str, folder: Path, environ: Mapping[str, str] = ENVIRON) -> Loaded:
    path = folder / "bridge.yaml"
    path.write_text(text)
    return load_config(path, environ, registry.load_platform, registry.platforms())


@pytest.fixture(scope="module")
def full() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.load(everything_on(), Loader=yaml.BaseLoader)
    return parsed


def test_it_is_right_as_it_stands(tmp_path: Path) -> None:
    loaded = load(EXAMPLE.read_text(), tmp_path)
    assert not loaded.faults, [str(fault) for fault in loaded.faults]
    assert not loaded.warnings, [str(fault) for fault in loaded.warnings]
    assert loaded.config is not None
    assert {account.platform for account in loaded.config.accounts.values()} == set(registry.platforms())


def test_without_its_environment_it_names_every_missing_variable(tmp_path: Path) -> None:
    missing = "\n".join(str(fault) for fault in load(EXAMPLE.read_text(), tmp_path, {}).faults)
    for name in ("TELEGRAM_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "DISCORD_TOKEN", "TEAMSPIRIT_KEY"):
        assert f"the environment variable {name} is not set" in missing


def test_with_everything_on_nothing_in_it_is_unknown(tmp_path: Path) -> None:
    said = [str(fault) for fault in load(everything_on(), tmp_path).faults]
    about_this_host = re.compile(
        r"there is no (such )?(file|folder)|no such file|is only for a local server|needs the style (template|matterbridge)"
        r"|needs the extra \[otel\]"
    )
    assert not [fault for fault in said if not about_this_host.search(fault)]


def test_all_sections_are_there(full: dict[str, Any]) -> None:
    assert set(full) == set(SECTIONS)


def walk(model: type[BaseModel], given: Mapping[str, Any], place: str) -> Iterator[tuple[str, Any, Any]]:
    """(place, default, value as written) of every option; AssertionError for one that is not there."""
    for name, field in model.model_fields.items():
        here = f"{place}.{name}"
        if name in COMMON and place != "tg":
            continue
        assert name in given, f"{here} is not in the example"
        yield here, field.default, given[name]
        shape = shape_of(field.annotation)
        for inner in shape.models:
            yield from walk(inner, given[name], here)
        for inner in shape_of(shape.value).models if shape.value is not None else ():
            for key, value in given[name].items():
                yield from walk(inner, value, f"{here}.{key}")


def check_defaults(found: Iterator[tuple[str, Any, Any]]) -> None:
    for place, default, written in found:
        if default is PydanticUndefined or place in EXAMPLES_ONLY or str(written).startswith("${"):
            continue
        default = default.value if isinstance(default, Enum) else default
        if isinstance(default, bool):
            assert written == str(default).lower(), place
        elif isinstance(default, int | float):
            assert float(written) == default, place
        elif isinstance(default, Path | str):
            assert written == str(default), place
        else:
            assert written == (list(default) if isinstance(default, tuple) else default), place


@pytest.mark.parametrize("account", ["tg", "team", "guild", "spirit", "hooks"])
def test_every_option_of_every_platform_is_there_with_its_default(full: dict[str, Any], account: str) -> None:
    given = full["accounts"][account]
    model = registry.load_platform(given["platform"]).options()
    check_defaults(walk(model, given, account))
    secrets = [name for name, field in model.model_fields.items() if shape_of(field.annotation).secret]
    assert all(str(given[name]).startswith("${") for name in secrets), "the example shows no secret in the open"


@pytest.mark.parametrize("section", SECTION_MODELS)
def test_every_option_of_every_section_is_there_with_its_default(full: dict[str, Any], section: str) -> None:
    check_defaults(walk(SECTION_MODELS[section], full[section], section))


def test_every_relay_option_is_there_with_its_default(full: dict[str, Any]) -> None:
    assert set(full["defaults"]) == RELAY_KEYS
    defaults = RelayOptions()
    check_defaults((f"defaults.{name}", getattr(defaults, name), full["defaults"][name]) for name in RELAY_KEYS)


def test_every_condition_of_filters_is_there(full: dict[str, Any]) -> None:
    lines = [condition for route in full["routes"] for line in route.get("filter", ()) for condition in line.values()]
    assert {key for condition in lines for key in condition} == CONDITIONS


_SLIPS = ["", "[]", "{}", "~", "yes", "-1", "1e400", "'x", "[a, b]", "{a: b}", "*a", "&a", "!x", "'{'", "tg/1/2/3", "[[[[[", ".nan"]


@pytest.mark.parametrize("seed", range(4))
def test_slips_in_the_example_are_faults_and_never_more(tmp_path: Path, seed: int) -> None:
    """Lines lost, doubled, misspelt or given another value: the loader does not raise, and shows no secret."""
    chance = random.Random(seed)
    whole = [line for line in everything_on().splitlines() if line.strip() and not line.strip().startswith("# ")]
    for _ in range(30):
        lines = list(whole)
        for _ in range(chance.randint(1, 4)):
            number = chance.randrange(len(lines))
            line, kind = lines[number], chance.random()
            if kind < 0.2:
                del lines[number]
            elif kind < 0.3:
                lines.insert(number, chance.choice(lines))
            elif kind < 0.8:
                lines[number] = re.sub(r"^( *(?:- )?\w+: ?).*$", lambda found: found[1] + chance.choice(_SLIPS), line)
            else:
                at = chance.randrange(len(line) + 1)
                lines[number] = line[:at] + chance.choice(" :-[]{}#'\"&*!|>%@`,?\t") + line[at:]
        loaded = load("\n".join(lines) + "\n", tmp_path)
        assert (loaded.config is None) == bool(loaded.faults)
        said = " ".join(str(fault) for fault in (*loaded.faults, *loaded.warnings))
        assert not [secret for secret in ENVIRON.values() if secret in said]


# -- the documentation ------------------------------------------------------------------------------------------------------


def test_docs_name_every_option_of_the_core() -> None:
    text = (EXAMPLE.parent / "docs" / "configuration.md").read_text()
    missing = [name for name in RELAY_KEYS | CONDITIONS if f"`{name}`" not in text]
    for section, model in SECTION_MODELS.items():
        missing += [f"{section}.{name}" for name in model.model_fields if f"`{section}.{name}" not in text]
    assert not missing


def test_docs_name_every_exit_code() -> None:
    from bridge.cli import exits

    text = (EXAMPLE.parent / "docs" / "cli.md").read_text()
    codes = [value for name, value in vars(exits).items() if name.startswith("EX_")]
    assert not [code for code in codes if f"| {code} |" not in text]


# -- the schema for editors -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def validator() -> Any:
    built = schema([registry.load_platform(name) for name in registry.platforms()])
    jsonschema.Draft202012Validator.check_schema(built)
    return jsonschema.Draft202012Validator(built)


@pytest.mark.parametrize("text", ["as it stands", "everything on"])
def test_the_example_fits_the_schema(validator: Any, text: str) -> None:
    parsed = yaml.safe_load(EXAMPLE.read_text() if text == "as it stands" else everything_on())
    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(parsed)]
    assert not problems


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("acounts", {}),
        ("accounts.tg.tokn", "x"),
        ("accounts.tg.platform", "telegraph"),
        ("accounts.tg.poll_timeout_s", 51),
        ("accounts.tg.take_over_webhook", "perhaps"),
        ("accounts.team.replies", "loud"),
        ("accounts.spirit.chats", {"duty": {"hook": "x"}}),
        ("accounts.guild.sendr", "x"),
        ("accounts.guild.edits", "maybe"),
        ("routes.0.betwen", []),
        ("routes.0.between", ["tg/1"]),
        ("routes.0.between", ["tg/1", "nowhere"]),
        ("routes.0.to", "tg/1"),
        ("routes.1.to.1.sendr", "x"),
        ("routes.1.filter.0", {"drop": {}}),
        ("routes.1.filter.0", {"drop": {"text": "x"}, "keep": {"text": "y"}}),
        ("people.0.name", None),
        ("defaults.unknown", "holt"),
        ("web", {"admin": {"listen": "nowhere"}}),
        ("log", {"level": "loud"}),
        ("log", {"levl": "info"}),
        ("shutdown", {"drain_s": -1}),
    ],
)
def test_a_slip_does_not_fit_the_schema(validator: Any, place: str, value: Any) -> None:
    parsed = yaml.safe_load(EXAMPLE.read_text())
    *path, last = place.split(".")
    node = parsed
    for step in path:
        if isinstance(node, dict) and node.get(step) is None:
            node[step] = {}
        node = node[int(step)] if isinstance(node, list) else node[step]
    node[int(last) if isinstance(node, list) else last] = value
    assert list(validator.iter_errors(parsed))
