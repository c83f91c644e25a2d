"""The registry: what packages offer is found by name, and a broken package is nobody else's trouble."""

from __future__ import annotations

from typing import Any

import pytest

from adapters import registry
from bridge.model.platform import Manifest, SecretShape
from bridge.policy import redact


class Broken:
    """An entry point whose package cannot be used."""

    def __init__(self, found: Any) -> None:
        self._found = found

    def load(self) -> Any:
        if isinstance(self._found, Exception):
            raise self._found
        return self._found


@pytest.mark.parametrize(
    "found",
    [
        ModuleNotFoundError("No module named 'gone'"),
        TypeError("Manifest() got an unexpected keyword argument 'options'"),
        "no manifest",
        Manifest(platform="another", title="Another", package="another"),
        Manifest(platform="broken", title="Broken", package="broken", secret_shapes=(SecretShape(pattern="(unclosed"),)),
    ],
    ids=["gone", "of another version", "something else", "of another name", "with a pattern that is none"],
)
def test_a_broken_package_that_nobody_uses_hides_no_shape_of_a_secret(monkeypatch: pytest.MonkeyPatch, found: Any) -> None:
    monkeypatch.setattr(registry, "_third_party", lambda: {"broken": Broken(found)})
    registry.load_manifest.cache_clear()
    redact.ask_platforms(registry.secret_shapes)
    try:
        assert redact.Masker()("error xapp-1-A024BE7LH-1234-abcdef at") == f"error {redact.MASK} at"
    finally:
        monkeypatch.undo()
        registry.load_manifest.cache_clear()
        redact.ask_platforms(registry.secret_shapes)


def test_an_account_of_a_broken_package_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_third_party", lambda: {"broken": Broken(ModuleNotFoundError("No module named 'gone'"))})
    with pytest.raises(ModuleNotFoundError, match="gone"):
        registry.load_platform("broken")
