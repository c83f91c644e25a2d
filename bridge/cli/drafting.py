"""The first bridge.yaml, as `init` makes it: which options an account needs, and the files that are written. Asks nobody."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from bridge.config.errors import explain
from bridge.config.model import AccountConfig, Config
from bridge.config.routes import split_address
from bridge.model.platform import Platform
from bridge.model.refs import AccountName
from bridge.policy.routing import RelayOptions

_FOLDER = "credentials"


class DraftFailed(Exception):
    """A file cannot be written. As text: which, why, what to do."""


class NotAnAddress(ValueError):
    """What was written is no chat; as text: why."""


@dataclass(frozen=True, slots=True)
class Question:
    """An option that is missing, or wrong (`problem`)."""

    key: str
    description: str
    is_secret: bool
    problem: str = ""


class AccountDraft:
    """An account whose options are being asked for."""

    def __init__(self, name: str, platform: Platform, given: dict[str, Any]) -> None:
        self.name = name
        self.platform = platform
        self._model = platform.options()
        self._values = given

    def answer(self, key: str, value: str) -> None:
        self._values[key] = value

    def next_question(self) -> Question | None:
        """None: the options are complete and without fault."""
        try:
            options = self._model.model_validate(self._values)
        except ValidationError as error:
            first = error.errors()[0]
            key = str(first["loc"][0]) if first["loc"] else next(iter(self._model.model_fields))
            return self._question(key, "" if first["type"] == "missing" else explain(first, "")[0])
        for fault in self.platform.check_options(options):
            key = fault.key.partition(".")[0]
            if key in self._model.model_fields:
                return self._question(key, fault.why if key in self._values else "")
        return None

    def _question(self, key: str, problem: str) -> Question:
        field = self._model.model_fields.get(key)
        return Question(key, (field.description or "") if field is not None else "", self.is_secret(key), problem)

    def is_secret(self, key: str) -> bool:
        field = self._model.model_fields.get(key)
        return field is not None and "SecretStr" in repr(field.annotation)

    def options(self) -> BaseModel:
        return self._model.model_validate(self._values)

    def account_config(self) -> AccountConfig:
        return AccountConfig(name=AccountName(self.name), platform=self.platform.name, options=self.options(), relay=RelayOptions())

    def config(self) -> Config:
        """Of this account alone, without routes."""
        account = self.account_config()
        return Config(path=Path("bridge.yaml"), accounts={account.name: account}, routes=())

    def address_of(self, written: str) -> str | NotAnAddress:
        """The chat that an admin wrote: an address, one with the account before it, or a link."""
        text = written.strip().removeprefix(f"{self.name}/")
        if "://" in text:
            found = self.platform.chat_of_link(self.options(), text)
            if found is None:
                return NotAnAddress(f"that link leads to no chat of {self.platform.title}")
            text = found
        _, _, problem = split_address(self.platform, text)
        return NotAnAddress(problem) if problem else text

    def secrets(self) -> dict[str, str]:
        return {key: str(value) for key, value in self._values.items() if self.is_secret(key)}

    def shown(self) -> dict[str, Any]:
        """The other options, as bridge.yaml has them."""
        return {key: value for key, value in self._values.items() if not self.is_secret(key)}


def parse_settings(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`tg.proxy=http://...`, by account and key; values are YAML. Raises ValueError."""
    found: dict[str, dict[str, Any]] = {}
    for one in settings:
        place, equals, value = one.partition("=")
        account, dot, key = place.partition(".")
        if not (equals and dot and account and key):
            raise ValueError(f"--set {one!r}: must be ACCOUNT.KEY=VALUE")
        try:
            found.setdefault(account, {})[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ValueError(f"--set {one!r}: the value is no YAML") from None
    return found


def write(path: Path, accounts: Sequence[AccountDraft], route: str, ends: Sequence[str]) -> list[Path]:
    """bridge.yaml and a file for each secret (mode 0600); returns them. Raises DraftFailed; then none of them is left."""
    written: list[Path] = []
    try:
        for account in accounts:
            for key, value in account.secrets().items():
                secret = path.parent / _FOLDER / _file_name(account, key)
                secret.parent.mkdir(mode=0o700, exist_ok=True)
                _create(secret, value + "\n", 0o600)
                written.append(secret)
        _create(path, as_yaml(accounts, route, ends), 0o644)
        written.append(path)
    except OSError as error:
        for one in written:
            one.unlink(missing_ok=True)
        why = "is there already" if isinstance(error, FileExistsError) else f"cannot be written: {error.strerror or error}"
        raise DraftFailed(f"{error.filename or path} {why}; move it away, or name another --config") from error
    return written


def _file_name(account: AccountDraft, key: str) -> str:
    return f"{account.name}-{key.replace('_', '-')}"


def _create(path: Path, text: str, mode: int) -> None:
    """An existing file is never touched."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)


def as_yaml(accounts: Sequence[AccountDraft], route: str, ends: Sequence[str]) -> str:
    """The whole file."""
    lines = [
        "# The bridge's accounts, and the chats that it joins. bridge.yaml.example shows every option;",
        "# messenger-bridge check --online tells what is wrong.",
        "",
        "accounts:",
    ]
    for account in accounts:
        lines += [f"  {account.name}:", f"    platform: {account.platform.name}"]
        for key in account.secrets():
            lines.append(f"    {key}_file: {_plain(f'{_FOLDER}/{_file_name(account, key)}')}")
        lines += [f"    {key}: {_plain(value)}" for key, value in account.shown().items()]
        lines.append("")
    if len(ends) < 2:
        lines += ["# Chats that are joined:", "#routes:", "#  - name: lobby", "#    between: [ACCOUNT/CHAT, ACCOUNT/CHAT]"]
        lines += [f"#             {end}" for end in ends]
        return "\n".join(lines) + "\n"
    lines += [
        "# What is written in one of these chats is shown in the others. One direction only: from: and to: instead of between:.",
        "routes:",
        f"  - name: {_plain(route)}",
        "    between:",
        *(f"      - {_plain(end)}" for end in ends),
    ]
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    """A value in one line, quoted where YAML needs it; `${` is written literally."""
    if isinstance(value, str):
        value = value.replace("${", "$${")
    dumped = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10_000)
    return dumped.removesuffix("...\n").strip()
