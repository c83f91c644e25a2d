"""One table: what each failure of the network comes to, for a call that creates and for one that may be repeated. The same for all
platforms; the failures are played by real sockets (`tests/support/faulty_network.py`)."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from adapters import registry
from adapters.common.conformance import Lacks, NetworkCase
from adapters.common.emulation.contract import Fault, FaultKind
from bridge.config.load import load_config
from bridge.model.adapter import Copy, Deletes, Edits, Outbound, OutboundDelete, OutboundEdit, OutboundReaction, Reacts
from bridge.model.errors import AccountDown, BridgeError, ConfigFault, ConnectionLost, OutcomeUnknown, RetryLater, Scope
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import plain
from tests.conformance.cases import CASES, skip_if_lacking
from tests.conformance.rig import ACCOUNT, Rig
from tests.support import faulty_network as network
from tests.support.intake import RecordingIntake
from tests.support.network import Certificates, listening
from tests.support.patience import PATIENCE_S
from tests.support.transports import calls
from tests.support.web import UnreachedWeb


@dataclass(frozen=True)
class Answer:
    """What both kinds of call end in, or each of them."""

    creating: type[BridgeError]
    repeatable: type[BridgeError]
    scope: Scope = Scope.CHAT
    action: str = ""
    after_s: float | None = None
    is_limit: bool = False


def down(action: str) -> Answer:
    return Answer(AccountDown, AccountDown, action=action)


def later(scope: Scope, *, after_s: float | None = None, is_limit: bool = False) -> Answer:
    return Answer(RetryLater, RetryLater, scope, after_s=after_s, is_limit=is_limit)


def maybe(after_s: float | None = None) -> Answer:
    return Answer(OutcomeUnknown, RetryLater, after_s=after_s)


UNREACHED = later(Scope.ACCOUNT)
NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
DATE = f"Date: {format_datetime(NOW, usegmt=True)}"
IN_90_S = f"Retry-After: {format_datetime(NOW + timedelta(seconds=90), usegmt=True)}"

TABLE: dict[str, tuple[network.Fault, Answer]] = {
    # the request never left
    "refused": (network.nobody_listens, UNREACHED),
    "no such name": (network.no_such_name, UNREACHED),
    "no connection in time": (network.nobody_takes_connections, UNREACHED),
    "no TLS spoken": (network.instead_of_tls(network.speak_plainly), UNREACHED),
    "hung up in the handshake": (network.instead_of_tls(network.hang_up), UNREACHED),
    "reset in the handshake": (network.instead_of_tls(network.reset), UNREACHED),
    "certificate untrusted": (network.by_tls("good", trusted=False), down("ca_file")),
    "certificate expired": (network.by_tls("expired", trusted=True), down("renew")),
    "certificate of another host": (network.by_tls("other_host", trusted=True), down("address")),
    # proxies
    "proxy refused": (network.no_proxy_listens, UNREACHED),
    "proxy asks for a login": (network.proxy_answers("407 Proxy Authentication Required"), down("user and password")),
    "proxy asks for a login, http": (network.proxy_answers("407 No", "Proxy-Authenticate: Basic", scheme="http"), down("proxy")),
    "proxy forbids": (network.proxy_answers("403 Forbidden"), down("proxy")),
    "proxy finds no host": (network.proxy_answers("502 Bad Gateway"), UNREACHED),
    "proxy is busy": (network.proxy_answers("503 Service Unavailable"), UNREACHED),
    "proxy finds the host silent": (network.proxy_answers("504 Gateway Timeout"), UNREACHED),
    "proxy hangs up": (network.proxy_does(network.hang_up_on_connect), UNREACHED),
    "proxy resets": (network.proxy_does(network.reset_on_connect), UNREACHED),
    "proxy speaks nonsense": (network.proxy_does(network.speak_nonsense), UNREACHED),
    "proxy is silent": (network.proxy_does(network.for_ever, request_timeout_s=1.0), UNREACHED),
    "proxy with a certificate of its own": (network.tunnel_to_another_certificate, down("ca_file")),
    # the request left, and no usable answer came
    "hung up": (network.server_sends(b""), maybe()),
    "reset": (network.server_does(network.reset_on_connect), maybe()),
    "silent": (network.silent, maybe()),
    "broken in the head": (network.server_sends(b"HTTP/1.1 200 OK\r\nContent-"), maybe()),
    "no HTTP": (network.server_sends(b"nonsense\r\n\r\n"), maybe()),
    "broken in a chunk": (network.broken_body(b'Transfer-Encoding: chunked\r\n\r\n20\r\n{"ok":'), maybe()),
    "broken between chunks": (network.broken_body(b'Transfer-Encoding: chunked\r\n\r\n6\r\n{"ok":\r\n'), maybe()),
    "no chunk": (network.broken_body(b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), maybe()),
    "shorter than announced": (network.broken_body(b'Content-Length: 100\r\n\r\n{"ok":'), maybe()),
    "no gzip": (network.broken_body(b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"), maybe()),
    # answers that mean the same from everybody
    "page of a portal": (network.server_answers("200 OK"), maybe()),
    "server error": (network.server_answers("500 Internal Server Error"), maybe()),
    "bad gateway": (network.server_answers("502 Bad Gateway"), maybe()),
    "bad gateway, as text": (network.server_answers("502 Bad Gateway", content_type="text/plain"), maybe()),
    "overloaded": (network.server_answers("503 Service Unavailable", "Retry-After: 7"), maybe(7.0)),
    "gateway's time-out": (network.server_answers("504 Gateway Timeout"), maybe()),
    "another status of a gateway": (network.server_answers("522 Connection timed out"), maybe()),
    "read too slowly": (network.server_answers("408 Request Timeout"), later(Scope.CHAT)),
    "too early": (network.server_answers("425 Too Early"), later(Scope.CHAT)),
    "too many": (network.server_answers("429 Slow", "Retry-After: 7"), later(Scope.ACCOUNT, after_s=7.0, is_limit=True)),
    "too many until": (network.server_answers("429 Slow", IN_90_S, DATE), later(Scope.ACCOUNT, after_s=90.0, is_limit=True)),
    "too many, as text": (
        network.server_answers("429 Slow", "Retry-After: 7", content_type="text/plain"),
        later(Scope.ACCOUNT, after_s=7.0, is_limit=True),
    ),
}


@pytest.fixture
def case(platform: str) -> NetworkCase:
    found = CASES[platform].network
    skip_if_lacking(platform, Lacks.ONE_CREDENTIAL)  # nor one server: its own tests have the table
    if found is None:
        pytest.skip("its case says nothing of its network")
    return found


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("name", TABLE)
async def test_a_failure_is_the_same_for_every_platform(
    case: NetworkCase, platform: str, name: str, certificates: Certificates
) -> None:
    fault, expected = TABLE[name]
    async with fault(certificates) as options:
        for place, kind in enumerate((expected.repeatable, expected.creating)):
            async with calls(case, platform, **options) as both:
                with pytest.raises(BridgeError) as caught:
                    await both[place]()
            check(caught.value, kind, expected)


def check(error: BridgeError, kind: type[BridgeError], expected: Answer) -> None:
    assert type(error) is kind, error
    if isinstance(error, AccountDown):
        assert expected.action in error.action
    if isinstance(error, RetryLater):
        assert (error.scope, error.after_s, error.rate_limited) == (expected.scope, expected.after_s, expected.is_limit), error
    assert "://" not in error.reason, "an address may hold a token"


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "404 Not Found", "451 Unavailable"])
async def test_a_page_that_refuses_is_not_the_platforms(
    case: NetworkCase, platform: str, status: str, certificates: Certificates
) -> None:
    if not case.pages_are_foreign:
        pytest.skip("what it refuses itself may be told by a page")
    fault = network.server_answers(status)
    async with fault(certificates) as options, calls(case, platform, **options) as (repeatable, creating):
        for call in (repeatable, creating):
            with pytest.raises(BridgeError) as caught:
                await call()
            check(caught.value, RetryLater, later(Scope.ACCOUNT, after_s=60.0))


# -- ca_file ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["good", "other_host"])
async def test_a_ca_file_adds_to_the_systems(
    case: NetworkCase, platform: str, named: str, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's certificate is vouched for by the file, or by the system while the file names another: both are trusted."""
    system = certificates.other_host if named == "good" else certificates.good
    monkeypatch.setenv("SSL_CERT_FILE", str(system))
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(getattr(certificates, named).read_bytes())
    async with network.tls_that_ends(certificates) as options, calls(case, platform, **options, ca_file=ca_file) as (repeatable, _):
        with pytest.raises(BridgeError) as caught:
            await repeatable()
    assert type(caught.value) is RetryLater, "the request left: the certificate was trusted"
    assert caught.value.scope is Scope.CHAT


async def test_a_ca_file_that_is_spoilt_after_the_check_says_so(
    case: NetworkCase, platform: str, certificates: Certificates, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    for content in (None, b"", b"nonsense"):
        if content is not None:
            ca_file.write_bytes(content)
        with pytest.raises(AccountDown) as caught:
            async with calls(case, platform, "https://localhost:9", ca_file=ca_file) as (repeatable, _):
                await repeatable()
        assert "ca_file" in caught.value.action


NO_CA = {
    "missing": None,
    "empty": b"",
    "not PEM": b"\x30\x82\x01\x00" * 50,
    "broken PEM": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "cut": b"-----BEGIN CERTIFICATE-----\nMIIB",
}


@pytest.mark.parametrize("what", [*NO_CA, "a key", "a folder"])
def test_a_ca_file_that_is_none_is_a_fault_at_its_place(
    case: NetworkCase, platform: str, what: str, certificates: Certificates, tmp_path: Path
) -> None:
    """One fault, and the same."""
    ca_file = tmp_path / "ca.pem"
    if what == "a folder":
        ca_file.mkdir()
    elif what == "a key":
        ca_file.write_bytes(certificates.good.with_suffix(".key").read_bytes())
    elif (content := NO_CA[what]) is not None:
        ca_file.write_bytes(content)
    (fault,) = faults_of(case, platform, ca_file)
    assert (fault.line, fault.key) == (4, "accounts.acc.ca_file")
    assert str(ca_file) in str(fault)


def test_a_ca_file_of_certificates_is_none(case: NetworkCase, platform: str, certificates: Certificates, tmp_path: Path) -> None:
    several = tmp_path / "ca.pem"
    several.write_bytes(certificates.good.read_bytes() + b"\n# another\n" + certificates.other_host.read_bytes())
    assert faults_of(case, platform, several) == []


def faults_of(case: NetworkCase, platform: str, ca_file: Path) -> list[ConfigFault]:
    path = ca_file.with_name("bridge.yaml")
    options = "".join(f"    {key}: {json.dumps(str(value))}\n" for key, value in case.options("https://localhost").items())
    path.write_text(f"accounts:\n  acc:\n    platform: {platform}\n    ca_file: {ca_file}\n{options}")
    return list(load_config(path, {}, registry.load_platform, registry.platforms()).faults)


# -- through the contract -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR_AFTER])
async def test_what_changes_a_message_is_repeated_while_nobody_knows(rig: Rig, kind: FaultKind) -> None:
    """Of sending, `test_errors` says it: there the outcome is unknown."""
    receipt = await rig.adapter.send(rig.outbound(plain("first")))
    copy = Copy(
        chat_id=rig.chat_id, message_ids=receipt.message_ids, thread_id=receipt.thread_id, adapter_data=receipt.adapter_data
    )
    changes: list[Callable[[], Awaitable[object]]] = []
    if isinstance(rig.adapter, Edits):
        edit = OutboundEdit(token="mbabc123-900-0", copy=copy, text=plain("second"))
        changes.append(functools.partial(rig.adapter.edit, edit))
    if isinstance(rig.adapter, Reacts):
        changes.append(functools.partial(rig.adapter.react, OutboundReaction(copy=copy, wanted=("👍",), added=("👍",))))
    if isinstance(rig.adapter, Deletes):
        changes.append(functools.partial(rig.adapter.delete, OutboundDelete(copy=copy)))
    if not changes:
        pytest.skip("nothing that was sent can be changed there")
    rig.emulator.inject(Fault(kind=kind))
    for change in changes:
        with pytest.raises(RetryLater):
            await asyncio.wait_for(change(), PATIENCE_S)
    rig.emulator.clear_faults()


@pytest.mark.parametrize("served", [0, 1, 2, 3, 4, 6, 9])
async def test_a_proxy_that_asks_for_a_login_half_way_parks_the_account(case: NetworkCase, platform: str, served: int) -> None:
    """Whichever request is the first to hear of it: what comes out is that, and no group of errors."""
    manifest = registry.load_platform(platform)
    emulator = registry.load_emulator(platform)
    await emulator.start()
    chat = emulator.add_chat("lobby")
    proxy = network.TurningProxy(10**6)
    async with listening(proxy.serve) as port:
        options = manifest.options().model_validate({**emulator.account_options(), "proxy": f"http://127.0.0.1:{port}"})
        adapter = manifest.build(AdapterContext(account=ACCOUNT, options=options, web=UnreachedWeb()))
        intake = RecordingIntake([chat_id := await adapter.resolve(chat.address)])
        proxy.left = served
        running = asyncio.create_task(adapter.run(intake))
        up = asyncio.create_task(intake.up.wait())
        await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S)
        if running.done():
            assert isinstance(running.exception(), AccountDown), running.exception()
        proxy.left = 0
        with pytest.raises(AccountDown, match="proxy") as caught:
            await adapter.send(Outbound(token="mbabc123-1-0", attempt=1, chat_id=chat_id, text=plain("hello")))
        assert "proxy" in caught.value.action
        running.cancel()
        up.cancel()
        await asyncio.wait({running, up})
        assert running.cancelled() or isinstance(running.exception(), AccountDown | ConnectionLost)
        await adapter.close()
    await emulator.stop()
