"""Platforms made up for the configuration's tests, and short ways to load a text."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from bridge.capabilities import Capabilities, Feature, Limits, Support, features
from bridge.config.load import Loaded, load_config
from bridge.contract import Manifest
from bridge.errors import ConfigFault


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Inner(_Strict):
    depth: int = Field(default=1, ge=0, description="how deep")
    key: SecretStr | None = Field(default=None, description="an inner secret")
    names: dict[str, str] = Field(default_factory=dict, description="names by id")


class Parrot(_Strict):
    """Options of the made-up platform `parrot`."""

    token: SecretStr = Field(description="the parrot's token")
    server: str = Field(default="https://parrot.example", description="base URL")
    perch: int | str = Field(default="top", description="where it sits")
    loud: bool = Field(default=False, description="whether it screams")
    limit: int = Field(default=10, ge=1, le=100, description="words per minute")
    mode: Literal["speak", "listen"] = Field(default="speak", description="what it does")
    ca_file: Path | None = Field(default=None, description="CA")
    feathers: list[str] = Field(default_factory=list, description="colours")
    inner: Inner = Field(default_factory=Inner, description="what is inside")
    free: dict[str, Any] = Field(default_factory=dict, description="anything")

    @field_validator("server")
    @classmethod
    def _server(cls, value: str) -> str:
        if not value.startswith("http"):
            raise ValueError("not a URL")
        return value


class Owl(_Strict):
    secret: SecretStr = Field(description="the owl's secret")


def _no_faults(options: Any) -> Sequence[ConfigFault]:
    if isinstance(options, Parrot) and options.feathers == ["none"]:
        return [ConfigFault("a parrot has feathers", key="feathers[0]", value="none")]
    return []


def _address(text: str) -> str | None:
    if text.startswith("#") or text.lstrip("-").isdecimal():
        return "no spaces in names" if " " in text or "/" in text else None
    return "must be #name or a number"


def _thread(text: str) -> str | None:
    return None if text.isdecimal() else "must be a number"


def make_manifest(platform: str, model: type[BaseModel], **changes: Any) -> Manifest:
    def never(*_: Any) -> Any:
        raise AssertionError("not for the configuration")

    values: dict[str, Any] = {
        "platform": platform,
        "title": platform.title(),
        "options": lambda: model,
        "capabilities": lambda _: Capabilities(
            features=features({Feature.BOLD: Support.FULL, Feature.EDIT: Support.FULL}),
            limits=Limits(text_length=100, caption_length=50, upload_bytes=1000),
        ),
        "check_options": _no_faults,
        "check_address": _address,
        "check_thread": _thread,
        "build": never,
        "preload": never,
        "emulator": never,
        "credential_keys": ("token",) if "token" in model.model_fields else ("secret",),
    }
    return Manifest(**{**values, **changes})


MANIFESTS: Mapping[str, Manifest] = {
    "parrot": make_manifest("parrot", Parrot),
    # an owl's chats are paths, and it knows no threads
    "owl": make_manifest("owl", Owl, check_address=lambda _: None, check_thread=lambda _: "owls know no threads"),
}

ACCOUNTS = """\
accounts:
  polly: {platform: parrot, token: token-of-polly}
  coco: {platform: parrot, token: token-of-coco}
  owl: {platform: owl, secret: secret-of-owl}
"""

Load = Callable[..., Loaded]


@pytest.fixture()
def load(tmp_path: Path) -> Load:
    """Load a text as `bridge.yaml` (in a folder of its own, readable by its owner only)."""

    def load(text: str, /, manifests: Mapping[str, Manifest] = MANIFESTS, **environ: str) -> Loaded:
        path = tmp_path / "bridge.yaml"
        path.write_text(text)
        path.chmod(0o600)
        before = Path.cwd()
        os.chdir(tmp_path)
        try:
            return load_config(Path("bridge.yaml"), environ, manifests.__getitem__, tuple(manifests))
        finally:
            os.chdir(before)

    return load
