"""Options of the platforms and of relaying share one mapping in bridge.yaml: their names must be apart."""

from __future__ import annotations

import pytest

from adapters import registry
from bridge.config.field_types import fields_of, secret_keys
from bridge.config.relay import RELAY_KEYS


@pytest.mark.parametrize("platform", registry.platforms())
def test_no_platform_option_hides_a_relay_option(platform: str) -> None:
    model = registry.load_platform(platform).options()
    own = set(fields_of((model,))) | {f"{key}_file" for key in secret_keys((model,))}
    assert not own & (RELAY_KEYS | {"platform"})


@pytest.mark.parametrize("platform", registry.platforms())
def test_every_option_is_described_and_strict(platform: str) -> None:
    model = registry.load_platform(platform).options()
    assert model.model_config.get("extra") == "forbid"
    assert model.model_config.get("hide_input_in_errors")
    assert not [name for name, field in model.model_fields.items() if not field.description]


@pytest.mark.parametrize("platform", registry.platforms())
def test_credentials_are_options(platform: str) -> None:
    manifest = registry.load_platform(platform)
    assert manifest.manifest.credential_keys
    assert set(manifest.manifest.credential_keys) <= set(manifest.options().model_fields)
