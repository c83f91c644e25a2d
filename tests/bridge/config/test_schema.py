"""The JSON Schema of bridge.yaml for editors. That the example fits it is tested with the example."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from adapters import registry
from bridge.config.schema import schema


@pytest.fixture(scope="module")
def validator() -> Any:
    built = schema([registry.load_platform(name) for name in registry.platforms()])
    jsonschema.Draft202012Validator.check_schema(built)
    return jsonschema.Draft202012Validator(built)


def test_secrets_by_file_fit_the_schema_but_not_twice(validator: Any) -> None:
    account = {"platform": "telegram", "token_file": "/x"}
    assert not list(validator.iter_errors({"accounts": {"tg": account}}))
    assert list(validator.iter_errors({"accounts": {"tg": {**account, "token": "x"}}}))
    assert list(validator.iter_errors({"accounts": {"tg": {"platform": "telegram"}}}))


def test_every_option_is_described_in_the_schema() -> None:
    built = schema([registry.load_platform(name) for name in registry.platforms()])
    for name, part in built["$defs"].items():
        for key, option in part.get("properties", {}).items():
            assert "description" in str(option) or "$ref" in str(option) or key == "platform", f"{name}.{key}"
