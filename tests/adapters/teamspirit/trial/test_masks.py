"""Secrets are found in each form that they take on the wire; all else stays as it is."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.trial.masks import MASK, Secrets, secrets_of

KEY = "k3y/with+odd=letters & ä"


def encoded(text: str, *, safe: bool = False) -> str:
    return (base64.urlsafe_b64encode if safe else base64.b64encode)(text.encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        quote(KEY, safe=""),
        quote(KEY),
        quote_plus(KEY),
        encoded(KEY),
        encoded(f"bot:{KEY}"),
        encoded(f"a:{KEY}"),
        encoded(f"ab:{KEY}", safe=True),
        encoded(f"bot:{KEY}").rstrip("="),
        encoded('{"token": "' + KEY + '"}'),
    ],
)
def test_each_form_in_each_place(form: str) -> None:
    secrets = Secrets([KEY])
    for around in ("{}", "Basic {}", "https://im.example/a/{}/b?x=1", "https://im.example/hooks?key={}&n=1", 'say "{}".'):
        hidden = secrets.hide(around.format(form))
        assert form not in hidden
        assert MASK in hidden
    deep: dict[str, Any] = {"a": [{form: "x"}, (f"Bearer {form}", 5, None, True)]}
    assert form not in str(secrets.hide_all(deep))


def test_what_holds_no_secret_stays() -> None:
    secrets = Secrets([KEY, "abc", ""])
    for text in (
        "abc",
        "",
        "an ordinary sentence",
        encoded("nothing of it"),
        "https://im.example/api/v1/me?limit=50",
        "====",
        "äöü",
    ):
        assert secrets.hide(text) == text
    value = {"a": [1, 2.5, None, True, "b"]}
    assert secrets.hide_all(value) == value


def test_all_that_an_account_keeps_confidential() -> None:
    hook = "https://im.example/hooks/incoming-key"
    webhook = {"path": "the-webhook-path", "key": "the-key", "secret": "the-secret", "previous_key": "the-old-key"}
    given = {"api_key": "the-api-key", "webhook": webhook, "chats": {"duty": {"incoming_webhook": hook}}}
    options = TeamSpiritOptions.model_validate(given)
    found = secrets_of(options)
    assert set(found) == {
        *("the-api-key", "the-webhook-path", "the-key", "the-secret", "the-old-key"),
        *("https://im.example/hooks/incoming-key", "incoming-key"),
    }
