"""Certificates, of both sides."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from adapters.webhook.config import WebhookOptions, check_options
from bridge.model.errors import ChatDown, RetryLater
from tests.adapters.webhook.receivers import account, message, receiving
from tests.support.network import Certificates, server_context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


def shown(certificate: Path) -> dict[str, Any]:
    return {"client_cert": certificate, "client_key": certificate.with_suffix(".key")}


async def test_a_receiver_that_asks_for_a_certificate_is_shown_it(certificates: Certificates) -> None:
    mine = certificates.other_host
    context = server_context(certificates.good)
    context.load_verify_locations(mine)
    context.verify_mode = ssl.CERT_REQUIRED
    trusting: dict[str, Any] = {"ca_file": certificates.good, "allow_hosts": ("localhost",)}
    async with receiving(context) as there:
        url = there.url.replace("127.0.0.1", "localhost")
        async with account(url, end=shown(mine), **trusting) as adapter:
            await adapter.send(message())
            assert there.ids() == ["t1"]
        async with account(url, **trusting) as adapter:
            with pytest.raises(RetryLater):
                await adapter.send(message(token="t2"))
        assert there.ids() == ["t1"]


async def test_a_certificate_that_nobody_trusts_is_the_ends_own_trouble(certificates: Certificates) -> None:
    async with receiving(server_context(certificates.good)) as there, account(there.url) as adapter:
        with pytest.raises(ChatDown) as raised:
            await adapter.send(message())
        assert "certificate" in raised.value.reason
        assert not there.received


def faults(**given: Any) -> list[str]:
    options = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "ends": {"a": {}}, **given}
    return [str(fault) for fault in check_options(WebhookOptions.model_validate(options))]


def test_check_finds_what_could_not_be_sent(tmp_path: Path, certificates: Certificates) -> None:
    url = "https://receiver.example.com"
    assert faults(ends={"a": {"url": url}}) == []
    assert "a secret is missing" in faults(secret=None, ends={"a": {"url": url}})[0]
    assert "ends.a.secret" in faults(ends={"a": {"url": url, "secret": "guess"}})[0]
    assert "needs a body" in faults(style="template")[0]
    assert "body.text: not a template" in faults(style="template", body={"text": "{{ text"})[0]
    assert "goes with the style template" in faults(body={"text": "x"})[0]
    assert "of the style standard" in faults(style="slack", ends={"a": {"fetch": True}})[0]
    assert faults(ends={"a": {"url": url, **shown(certificates.good)}}) == []
    assert "there is no file" in faults(ends={"a": {"url": url, "client_cert": tmp_path / "none.pem"}})[0]
    empty = tmp_path / "empty.pem"
    empty.touch()
    assert "client_cert: cannot be used" in faults(ends={"a": {"url": url, "client_cert": empty}})[0]
    assert "which is missing" in faults(ends={"a": {"url": url, "client_key": certificates.good}})[0]
