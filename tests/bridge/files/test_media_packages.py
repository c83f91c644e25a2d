"""What is installed of the extra `[media]`."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.files.media_packages import installed_packages, missing_packages


def test_what_is_missing_is_named_as_people_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Any:
        return None if name == "rlottie_python" else object()

    monkeypatch.setattr("importlib.util.find_spec", find)
    assert installed_packages() == {"PIL", "av"}
    assert missing_packages() == ("rlottie-python",)
