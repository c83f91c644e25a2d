"""Platforms made up for the configuration's tests, and short ways to load a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from bridge.config.load import load_config
from bridge.config.model import Config, Loaded
from bridge.model.capabilities import Capabilities, Feature, Limits, Support, features
from bridge.model.errors import ConfigFault
from bridge.model.platform import Manifest, Platform


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


def make_manifest(platform: str, model: type[BaseModel], **changes: Any) -> Platform:
    def never(*_: Any) -> Any:
        raise AssertionError("not for the configuration")

    values: dict[str, Any] = {
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
        "manifest": Manifest(
            platform=platform,
            title=platform.title(),
            package="",
            credential_keys=("token",) if "token" in model.model_fields else ("secret",),
        ),
    }
    return Platform(**{**values, **changes})


MANIFESTS: Mapping[str, Platform] = {
    "parrot": make_manifest("parrot", Parrot),
    # an owl's chats are paths, and it knows no threads
    "owl": make_manifest("owl", Owl, check_address=lambda _: None, check_thread=lambda _: "owls know no threads"),
}

_ACCOUNTS = """\
accounts:
  polly: {platform: parrot, token: token-of-polly}
  coco: {platform: parrot, token: token-of-coco}
  owl: {platform: owl, secret: secret-of-owl}
"""


@dataclass(frozen=True, kw_only=True)
class Zoo:
    """What tests of this folder start from."""

    folder: Path
    manifests: Mapping[str, Platform]
    accounts: str = _ACCOUNTS

    @property
    def path(self) -> Path:
        return self.folder / "bridge.yaml"

    def load(self, text: str, *, manifests: Mapping[str, Platform] | None = None, mode: int = 0o600, **environ: str) -> Loaded:
        """Load a text as `bridge.yaml`."""
        return self._load(text, environ, self.manifests if manifests is None else manifests, mode)

    def _load(self, text: str, environ: Mapping[str, str], known: Mapping[str, Platform], mode: int = 0o600) -> Loaded:
        self.path.write_text(text)
        self.path.chmod(mode)
        return load_config(self.path, environ, known.__getitem__, tuple(known))

    def rest(self, text: str, **environ: str) -> Loaded:
        """The same for a file that begins with three good accounts; line 1 of `text` is line 5."""
        return self._load(self.accounts + text, environ, self.manifests)

    def good(self, text: str, **environ: str) -> Config:
        """The configuration of such a file, which must be without faults."""
        loaded = self.rest(text, **environ)
        assert not loaded.faults, [str(fault) for fault in loaded.faults]
        assert loaded.config is not None
        return loaded.config

    def faults(self, text: str, **environ: str) -> list[str]:
        """The faults of such a file as `line:column: key: why - hint`."""
        loaded = self.rest(text, **environ)
        assert (loaded.config is None) == bool(loaded.faults)
        return [str(fault).removeprefix(f"{self.path}:") for fault in loaded.faults]

    def warnings(self, text: str, **environ: str) -> list[str]:
        loaded = self.rest(text, **environ)
        assert not loaded.faults, [str(fault) for fault in loaded.faults]
        return [str(fault).removeprefix(f"{self.path}:") for fault in loaded.warnings]

    make_manifest = staticmethod(make_manifest)


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    return Zoo(folder=tmp_path, manifests=MANIFESTS)
