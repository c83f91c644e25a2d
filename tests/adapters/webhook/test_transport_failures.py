"""Failures of the network towards a receiver are those of every platform, but for one thing: each end has a server of its own, so
what fails there is that end's trouble, and only a proxy is the whole account's."""

from __future__ import annotations

import pytest

from bridge.model.errors import AccountDown, BridgeError, ChatDown, OutcomeUnknown, RetryLater, Scope
from tests.adapters.webhook.receivers import account, message
from tests.conformance.test_network_failures import TABLE, Answer
from tests.support.network import Certificates

HEAD_ARRIVES = ("broken in a chunk", "broken between chunks", "no chunk", "shorter than announced", "no gzip", "page of a portal")
"""There the status says what became of the message (test_transport.py)."""
FAULTS = [name for name in TABLE if name not in HEAD_ARRIVES]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


def expected_of(wanted: Answer, style: str, *, by_proxy: bool) -> type[BridgeError]:
    """`slack` posts anew where a repetition is not known for one; `standard` has an id that receivers know again."""
    kind = wanted.creating if style == "slack" else wanted.repeatable
    return ChatDown if kind is AccountDown and not by_proxy else kind


@pytest.mark.parametrize("style", ["standard", "slack"])
@pytest.mark.parametrize("name", FAULTS)
async def test_a_failure_is_the_ends_own(name: str, style: str, certificates: Certificates) -> None:
    fault, wanted = TABLE[name]
    async with fault(certificates) as options:
        server = options.pop("server")
        hosts = ("127.0.0.0/8", "localhost", "im.example.invalid")
        async with account(f"{server}/hook", style=style, allow_hosts=hosts, **options) as adapter:
            with pytest.raises(BridgeError) as raised:
                await adapter.send(message())
    error = raised.value
    by_proxy = isinstance(error, AccountDown) and "proxy" in error.action
    assert type(error) is expected_of(wanted, style, by_proxy=by_proxy), error
    assert "://" not in error.reason, "an address may hold a token"
    if isinstance(error, AccountDown | ChatDown):
        assert wanted.action in error.action
    if isinstance(error, RetryLater) and not name.startswith("proxy"):
        assert error.scope is Scope.CHAT
        assert error.after_s == wanted.after_s or wanted.after_s is None
    if isinstance(error, OutcomeUnknown):
        assert style == "slack"
