"""How the account reaches Slack: proxy, own CA, environment, options; and what importing the package costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.common.emulation.contract import Upload
from adapters.common.http_errors import Effect
from adapters.registry import load_platform
from adapters.slack.config import SlackOptions
from adapters.slack.emulator import SlackEmulator
from adapters.slack.errors import SUCCESS, MissingScope, classify
from bridge.model.adapter import Outbound, OutboundFile
from bridge.model.errors import (
    AccountDown,
    ChangeRefused,
    ChatDown,
    ConnectionLost,
    MessageGone,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    RightMissing,
)
from bridge.model.events import Attachment, AttachmentKind, MessageCreated
from bridge.model.rich_text import plain
from tests.support.network import Certificates, relaying, server_context
from tests.support.patience import eventually


async def cross_both_ways(account: Any, emulator: SlackEmulator, folder: Path, **options: Any) -> None:
    """A message and a file in, a message and a file out."""
    chat = account.chat()
    adapter = await account.start(**options)
    await emulator.say(chat, "Anna", "in", files=[Upload(name="a.txt", mime="text/plain", content=b"abc")])
    await eventually(lambda: account.intake.texts() == ["in"])
    async with adapter.open_file(account.intake.of(MessageCreated)[0].content.attachments[0]) as stream:
        assert b"".join([chunk async for chunk in stream.chunks]) == b"abc"
    (folder / "b.txt").write_bytes(b"def")
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="", name="b.txt")
    file = OutboundFile(attachment=attachment, path=folder / "b.txt", name="b.txt", mime="text/plain", size_bytes=3)
    await adapter.send(Outbound(token="t", attempt=1, chat_id=chat, text=plain("out")))
    await adapter.send(Outbound(token="t2", attempt=1, chat_id=chat, text=plain("file"), files=(file,)))
    assert [message.text for message in emulator.transcript(chat)] == ["in", "out", "file"]


async def test_everything_goes_through_the_proxy(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    async with relaying(emulator.base_url) as proxy:
        await cross_both_ways(account, emulator, tmp_path, proxy=proxy.url)
        await account.close()
    paths = set(proxy.paths())
    assert {"/api/auth.test", "/api/chat.postMessage", "/link/"} <= paths
    assert any(path.startswith("/upload/") for path in paths)
    assert any(path.startswith("/files-pri/") for path in paths)
    # large requests come in several chunks: at least as many as there were calls
    assert len(proxy.asked) >= len(emulator.calls())


async def test_the_environment_says_nothing_about_proxies(
    account: Any, emulator: SlackEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await cross_both_ways(account, emulator, tmp_path)


async def test_a_proxy_that_is_away_means_not_reached(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    with pytest.raises(ConnectionLost):
        await account.start(proxy="http://127.0.0.1:9")
    with pytest.raises(RetryLater):
        await account.build(proxy="http://127.0.0.1:9").send(Outbound(token="t", attempt=1, chat_id=chat, text=plain("x")))


@pytest.fixture
async def secure_url(emulator: SlackEmulator, certificates: Certificates) -> AsyncIterator[str]:
    """The emulator behind TLS, sockets and files too."""
    async with relaying(emulator.base_url, server_context(certificates.good)) as relay:
        emulator.public_url = f"https://localhost:{relay.port}"
        yield emulator.public_url


async def test_a_certificate_of_ones_own_ca(
    account: Any, emulator: SlackEmulator, tmp_path: Path, secure_url: str, certificates: Certificates
) -> None:
    await cross_both_ways(account, emulator, tmp_path, api_url=f"{secure_url}/api", ca_file=certificates.good)
    await account.close()


async def test_a_socket_with_an_unknown_certificate_stops_only_what_comes_in(
    account: Any, emulator: SlackEmulator, secure_url: str
) -> None:
    """Messages go another way. That of the API itself stops both."""
    chat = account.chat()
    with pytest.raises(AccountDown, match="socket") as only_in:
        await account.start()
    with pytest.raises(AccountDown) as both:
        await account.start(api_url=f"{secure_url}/api")
    assert (only_in.value.sends, both.value.sends) == (True, False)
    await account.build().send(Outbound(token="t", attempt=1, chat_id=chat, text=plain("out")))
    assert [message.text for message in emulator.transcript(chat)] == ["out"]


async def test_an_unknown_certificate_is_never_accepted(account: Any, emulator: SlackEmulator, secure_url: str) -> None:
    with pytest.raises(AccountDown):
        await account.start(api_url=f"{secure_url}/api")
    assert emulator.calls() == []


def test_the_package_imports_no_client_library() -> None:
    code = "import sys, adapters.slack; print([m for m in ('slack_sdk', 'aiohttp', 'pydantic') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


# -- options and addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"bot_token": "xoxb-1"}, "app_token"),
        ({"bot_token": "xoxb-1", "events": "http"}, "signing_secret"),
        ({"app_token": "xapp-1"}, "bot_token"),
        ({"bot_token": "xoxb-1", "app_token": "xapp-1", "events": "carrier pigeon"}, "events"),
        ({"bot_token": "xoxb-1", "app_token": "xapp-1", "repliez": "quote"}, "repliez"),
    ],
)
def test_options_that_cannot_work(options: dict[str, str], wanted: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SlackOptions.model_validate(options)
    assert wanted in str(caught.value)
    assert "xoxb-1" not in str(caught.value)


def test_tokens_in_each_others_place(tmp_path: Path) -> None:
    swapped = SlackOptions.model_validate({"bot_token": "xapp-1", "app_token": "xoxb-1", "ca_file": tmp_path / "none.pem"})
    faults = load_platform("slack").check_options(swapped)
    assert [fault.key for fault in faults] == ["bot_token", "app_token", "ca_file"]
    assert "xapp-1" not in f"{swapped!r}{[str(fault) for fault in faults]}"


@pytest.mark.parametrize("address", ["#general", "#über-uns", "#a_b-c.d", "C024BE7LH", "G024BE7LH", "D024BE7LH"])
def test_addresses(address: str) -> None:
    assert load_platform("slack").check_address(address) is None


@pytest.mark.parametrize("address", ["", "general", "#", "#General", "#two words", "U024BE7LH", "#a/b", "c024be7lh1"])
def test_no_addresses(address: str) -> None:
    assert load_platform("slack").check_address(address)


def test_threads() -> None:
    assert load_platform("slack").check_thread("1700000000.123456") is None
    for thread in ("1700000000", "p1700000000123456", "", "1700000000.12345"):
        assert load_platform("slack").check_thread(thread)


# -- the error table ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "effect", "error"),
    [
        ("ratelimited", 429, Effect.CREATES, RetryLater),
        ("", 429, Effect.CREATES, RetryLater),
        ("service_unavailable", 200, Effect.CREATES, RetryLater),
        ("internal_error", 200, Effect.CREATES, OutcomeUnknown),
        ("fatal_error", 200, Effect.IDEMPOTENT, RetryLater),
        ("", 500, Effect.CREATES, OutcomeUnknown),
        ("", 503, Effect.IDEMPOTENT, RetryLater),
        ("", 200, Effect.CREATES, OutcomeUnknown),
        ("", 403, Effect.CREATES, RetryLater),
        ("token_revoked", 200, Effect.CREATES, AccountDown),
        ("missing_scope", 200, Effect.CREATES, AccountDown),
        ("not_in_channel", 200, Effect.CREATES, ChatDown),
        ("msg_too_long", 200, Effect.CREATES, Rejected),
        ("something_new", 200, Effect.CREATES, Rejected),
    ],
)
def test_answers(code: str, status: int, effect: Effect, error: type[Exception]) -> None:
    found = classify("chat.postMessage", code, status=status, effect=effect, headers={"Retry-After": "3"})
    assert type(found) is error
    if isinstance(found, RetryLater) and status == 429:
        assert (found.after_s, found.rate_limited) == (3.0, True)


@pytest.mark.parametrize("method", ["reactions.add", "reactions.remove", "pins.add", "pins.remove"])
def test_a_policy_beside_messages_holds_no_message_up(method: str) -> None:
    assert type(classify(method, "restricted_action")) is Rejected
    assert type(classify("chat.postMessage", "restricted_action")) is ChatDown
    assert type(classify(method, "not_in_channel")) is ChatDown


def test_a_scope_that_only_one_operation_needs() -> None:
    found = classify("reactions.add", "missing_scope", needed_scope="reactions:write")
    assert isinstance(found, MissingScope)
    assert "reactions:write" in found.reason
    assert "already_reacted" in SUCCESS


@pytest.mark.parametrize(
    ("method", "code", "error"),
    [
        ("chat.update", "edit_window_closed", ChangeRefused),
        ("chat.update", "cant_update_message", ChangeRefused),
        ("chat.delete", "cant_delete_message", ChangeRefused),
        ("chat.delete", "compliance_exports_prevent_deletion", ChangeRefused),
        ("chat.update", "restricted_action", RightMissing),
        ("chat.delete", "restricted_action", RightMissing),
        ("chat.update", "is_inactive", ChatDown),
        ("chat.delete", "not_in_channel", ChatDown),
        ("chat.update", "message_not_found", MessageGone),
        ("chat.update", "msg_too_long", Rejected),
    ],
)
def test_changes_that_are_refused(method: str, code: str, error: type[Exception]) -> None:
    assert type(classify(method, code)) is error
