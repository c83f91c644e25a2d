"""All secrets of a configuration, for the log's masker: `SecretStr` values of every account and the keys in those that are URLs,
passwords in URLs, the URLs of `ops`, the headers of `otel`, and the passwords of the dashboard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretBytes, SecretStr

from bridge.config.model import AccountConfig, Config
from bridge.model.secret_urls import keys_in

_URLS = re.compile(r"[\s,]+")


def secrets_of(config: Config) -> set[str]:
    """Every text that must never be shown."""
    found = {secret for account in config.accounts.values() for secret in secrets_of_account(account)}
    if config.ops.apprise is not None:
        urls = config.ops.apprise.get_secret_value()
        found |= {urls, *_URLS.split(urls.strip())}
    found |= {user.password.get_secret_value() for user in config.web.dashboard.users}
    if config.otel is not None:
        found |= {value.get_secret_value() for _, value in config.otel.headers} | set(_password(config.otel.endpoint))
    return found


def secrets_of_account(account: AccountConfig) -> set[str]:
    return {secret for secret in _secrets(account.options) if secret}


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
        yield from keys_in(value.get_secret_value())
    elif isinstance(value, SecretBytes):
        yield value.get_secret_value().decode("utf-8", "replace")
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _secrets(part)
    elif isinstance(value, str):
        yield from _password(value)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _secrets(part)


def _password(text: str) -> Iterator[str]:
    if "://" in text and "@" in text:
        try:
            password = urlsplit(text).password
        except ValueError:
            return
        if password:
            yield from (password, unquote(password))
