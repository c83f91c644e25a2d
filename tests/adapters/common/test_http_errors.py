"""What a failure below an answer comes to, without a network. `tests/conformance/test_network_failures.py` plays each of them to
every adapter."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest

from adapters.common.http_errors import (
    Effect,
    classify_connection_error,
    classify_page,
    classify_status,
    classify_transfer_error,
    classify_transport_error,
    retry_after_s,
)
from bridge.model.errors import AccountDown, ConnectionLost, OutcomeUnknown, RetryLater, Scope

KEY = aiohttp.client_reqrep.ConnectionKey("im.example.com", 443, True, True, None, None, None)
NEVER_LEFT = [
    aiohttp.ClientConnectorError(KEY, OSError(111, "refused")),
    aiohttp.ClientConnectorError(KEY, OSError("Multiple exceptions")),
    aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "Name or service not known")),
    aiohttp.ClientProxyConnectionError(KEY, ConnectionRefusedError(111, "refused")),
    aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "wrong version number")),
    aiohttp.ConnectionTimeoutError("to wss://host/?ticket=secret"),
]
MAYBE_DONE = [
    TimeoutError(),
    aiohttp.SocketTimeoutError(),
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientOSError(104, "reset"),
    ConnectionResetError(),
    aiohttp.ClientPayloadError("at https://host/secret"),
    ssl.SSLError(1, "bad record"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
]


def wrapped(error: Exception) -> Exception:
    """As client libraries do it."""
    try:
        try:
            raise error
        except Exception as cause:
            raise LookupError("at https://host/secret") from cause
    except LookupError as outer:
        return outer


@pytest.mark.parametrize("error", NEVER_LEFT, ids=repr)
def test_what_surely_never_left_may_be_repeated_whatever_it_does(error: Exception) -> None:
    for seen in (error, wrapped(error)):
        for effect in Effect:
            found = classify_transport_error(seen, effect=effect, doing="call")
            assert isinstance(found, RetryLater)
            assert found.scope is Scope.ACCOUNT
            assert found.reason.startswith("call: ")
            assert "secret" not in found.reason


@pytest.mark.parametrize("error", MAYBE_DONE, ids=repr)
def test_what_may_have_been_carried_out_is_unknown_only_if_it_creates(error: Exception) -> None:
    for seen in (error, wrapped(error)):
        unknown = classify_transport_error(seen, effect=Effect.CREATES, doing="call")
        assert type(unknown) is OutcomeUnknown
        later = classify_transport_error(seen, effect=Effect.IDEMPOTENT, doing="call")
        assert isinstance(later, RetryLater)
        assert later.scope is Scope.CHAT
        assert "secret" not in unknown.reason + later.reason


@pytest.mark.parametrize("error", NEVER_LEFT + MAYBE_DONE, ids=repr)
def test_a_files_trouble_is_the_files_and_a_stream_just_ends(error: Exception) -> None:
    found = classify_transfer_error(error, doing="file download")
    assert (type(found), found.scope) == (RetryLater, Scope.CHAT)
    assert type(classify_connection_error(error, doing="socket")) is ConnectionLost


def test_a_certificate_stops_receiving_only_where_only_receiving_uses_it() -> None:
    error = aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("self-signed"))
    found = classify_connection_error(error, doing="socket")
    assert isinstance(found, AccountDown)
    assert found.sends
    assert "ca_file" in found.action
    assert isinstance(classify_transfer_error(error, doing="file download"), RetryLater)


# -- answers ------------------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        (" 2.5 ", 2.5),
        ("0", 0.0),
        ("-3", 0.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Thu, 26 Nov 2026 10:01:00 -0000", 60.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Thu, 99 Nov 2026 10:01:00 GMT", None),
    ],
)
def test_the_wait_that_an_answer_tells(told: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": told, "Date": format_datetime(NOW, usegmt=True)}) == seconds


@pytest.mark.parametrize(("after_s", "unit"), [(42, 1), (42, 1000), (0, 1), (-7, 1000)])
def test_a_moment_as_a_number_is_read_by_the_servers_clock(after_s: int, unit: int) -> None:
    """Servers with a rate limit of their own: Rocket.Chat's X-RateLimit-Reset is in milliseconds since 1970."""
    told = str(int(NOW.timestamp() + after_s) * unit)
    headers = {"X-RateLimit-Reset": told, "Date": format_datetime(NOW, usegmt=True)}
    assert retry_after_s(headers, "X-RateLimit-Reset") == max(after_s, 0)
    assert retry_after_s({"Retry-After": "999999999"}) == 999999999
    without = retry_after_s({"Retry-After": str(int(datetime.now(UTC).timestamp() + 3600) * unit)})
    assert without is not None
    assert 3000 < without <= 3601


def test_a_date_without_the_servers_own_is_read_by_this_clock() -> None:
    told = retry_after_s({"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)})
    assert told is not None
    assert 3000 < told <= 3600
    assert retry_after_s({}) is None


@pytest.mark.parametrize("effect", list(Effect))
def test_statuses_that_are_alike_everywhere(effect: Effect) -> None:
    def found(status: int) -> object:
        return classify_status(status, effect=effect, reason="call", after_s=7.0)

    for status in (200, 204, 302, 400, 401, 403, 404, 409, 410, 413, 422):
        assert found(status) is None
    limited = found(429)
    assert isinstance(limited, RetryLater)
    assert (limited.rate_limited, limited.after_s) == (True, 7.0)
    for status in (408, 425):
        later = found(status)
        assert isinstance(later, RetryLater)
        assert (later.rate_limited, later.after_s) == (False, 7.0)
    for status in (500, 502, 503, 504, 520, 599):
        assert type(found(status)) is (OutcomeUnknown if effect is Effect.CREATES else RetryLater)
    login = found(407)
    assert isinstance(login, AccountDown)
    assert "proxy" in login.action


@pytest.mark.parametrize("effect", list(Effect))
def test_a_page_that_refuses_let_nothing_through(effect: Effect) -> None:
    for status in (400, 401, 403, 404, 405, 429, 451):
        found = classify_page(status, effect=effect, reason="call")
        assert isinstance(found, RetryLater)
        assert found.scope is Scope.ACCOUNT
        assert found.rate_limited is (status == 429)
    for status in (200, 302, 500, 502):
        unknown = type(classify_page(status, effect=effect, reason="call"))
        assert unknown is (OutcomeUnknown if effect is Effect.CREATES else RetryLater)
