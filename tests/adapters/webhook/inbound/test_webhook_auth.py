"""Signed requests through the real listener: who proves who it is, when, and only once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.model.clock import SystemClock
from tests.adapters.webhook.harness import Answer, Hooks, StillClock
from tests.adapters.webhook.inbound.senders import GITHUB, GITLAB
from tests.support.raw_http import Caller

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_0000r8GKYqrTwjUPD8ILPZIo2LaLaSw0"
JSON = {"Content-Type": "application/json"}
BODY = b'{"text": "signed"}'


def standard(
    body: bytes, at_s: float, *, secret: str = SECRET, message_id: str = "msg_1", prefix: str = "webhook"
) -> dict[str, str]:
    """By the specification: HMAC-SHA256 over `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{int(at_s)}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    named = {"id": message_id, "timestamp": str(int(at_s)), "signature": f"v1a,other v1,{signature}"}
    return JSON | {f"{prefix}-{name}": value for name, value in named.items()}


def ends(**signature: Any) -> dict[str, Any]:
    return {"e": {"signature": signature}}


async def send(hooks: Hooks, body: bytes, headers: dict[str, str]) -> Answer:
    return await hooks.call("POST", f"{hooks.url}/hooks/hooks/e", data=body, headers=headers)


async def test_standard_webhooks(tmp_path: Path) -> None:
    clock = StillClock()
    async with Hooks(tmp_path, ends(scheme="standard", secret=SECRET, previous_secret=OLD), clock=clock) as hooks:
        now_s = clock.now().timestamp()
        assert (await send(hooks, BODY, standard(BODY, now_s))).status == 200
        assert (await send(hooks, BODY, standard(BODY, now_s, secret=OLD, message_id="msg_2"))).status == 200
        assert (await send(hooks, BODY, standard(BODY, now_s, prefix="svix", message_id="msg_3"))).status == 200
        assert hooks.words() == ["signed"] * 3
        wrong = [
            standard(BODY, now_s, secret="whsec_AAAAr8GKYqrTwjUPD8ILPZIo2LaLaSw0"),
            standard(b"another", now_s),
            standard(BODY, now_s) | {"webhook-id": "msg_9"},
            standard(BODY, now_s, message_id="msg.10"),
            standard(BODY, now_s) | {"webhook-timestamp": str(int(now_s) + 1)},
            standard(BODY, now_s) | {"webhook-timestamp": "soon"},
            standard(BODY, now_s) | {"webhook-signature": "v1,"},
            standard(BODY, now_s) | {"webhook-signature": "v1,ä"},
            JSON,
        ]
        for headers in wrong:
            answer = await send(hooks, BODY, headers)
            assert answer.status == 401
            assert "signature" not in answer.text
        assert len(hooks.intake.events) == 3


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature", "Content-Type"])
async def test_a_stranger_learns_nothing_by_headers_that_are_no_text(tmp_path: Path, name: str) -> None:
    async with Hooks(tmp_path, ends(scheme="standard", secret=SECRET)) as hooks:
        now_s = hooks.clock.now().timestamp()
        heads = {**standard(b"another", now_s), name: "?"}
        lines = b"".join(f"{each}: {value}\r\n".encode().replace(b": ?", b": \xff") for each, value in heads.items())
        host, port = hooks.url.removeprefix("http://").split(":")
        caller = Caller(*await asyncio.open_connection(host, int(port)))
        caller.send(b"POST /hooks/hooks/e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n" + lines + b"\r\n{}")
        assert (await caller.answer()).startswith(b"HTTP/1.1 401 ")
        caller.writer.close()


async def test_a_signed_request_is_good_once_and_for_some_minutes(tmp_path: Path) -> None:
    clock = StillClock()
    async with Hooks(tmp_path, ends(scheme="standard", secret=SECRET), clock=clock) as hooks:
        headers = standard(BODY, clock.now().timestamp())
        assert (await send(hooks, BODY, headers)).status == 200
        assert (await send(hooks, BODY, headers)).status == 200  # the sender did not hear the answer
        assert hooks.words() == ["signed"]
        clock.forward(301)
        assert (await send(hooks, BODY, headers)).status == 401
        early = standard(BODY, clock.now().timestamp() + 301, message_id="msg_2")
        assert (await send(hooks, BODY, early)).status == 401


class Set(StillClock):
    """Whose wall clock is set by somebody, beside the steady one."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.mark.parametrize("hours", [-365 * 24, -3, 3, 365 * 24])
async def test_a_clock_that_is_set_meanwhile_refuses_nobody_and_lets_nothing_old_in_twice(tmp_path: Path, hours: float) -> None:
    """Wrong, and then right again: what is signed now is taken all the time, what was taken once never again."""
    clock = Set()
    async with Hooks(tmp_path, ends(scheme="standard", secret=SECRET), clock=clock) as hooks:
        recorded = standard(BODY, clock.now().timestamp())
        assert (await send(hooks, BODY, recorded)).status == 200
        for number, ahead in enumerate((timedelta(hours=hours), timedelta()), 2):
            true_s = (clock.now() - clock.ahead).timestamp()
            clock.ahead = ahead
            assert (await send(hooks, BODY, standard(BODY, true_s, message_id=f"msg_{number}"))).status == 200
            await send(hooks, BODY, recorded)
            clock.forward(400)
            assert (await send(hooks, BODY, recorded)).status == 401
        assert hooks.words() == ["signed"] * 3


class Sleepy(SystemClock):
    """A machine's, whose monotonic clock stands still while it sleeps."""

    slept_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() - self.slept_s


async def test_what_was_signed_before_the_machine_slept_is_old_when_it_wakes(tmp_path: Path) -> None:
    clock = Sleepy()
    async with Hooks(tmp_path, ends(scheme="standard", secret=SECRET), clock=clock) as hooks:
        clock.slept_s = 8 * 3600.0
        before = standard(BODY, clock.now().timestamp() - clock.slept_s)
        assert (await send(hooks, BODY, before)).status == 401
        now = standard(BODY, clock.now().timestamp(), message_id="msg_2")
        assert (await send(hooks, BODY, now)).status == 200


async def test_github(tmp_path: Path) -> None:
    event, payload = GITHUB["push"]
    body = json.dumps(payload).encode()
    right = "sha256=" + hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    headers = {**JSON, "X-GitHub-Event": event, "X-GitHub-Delivery": "1-2-3", "X-Hub-Signature-256": right}
    async with Hooks(tmp_path, ends(scheme="github", secret="hush")) as hooks:
        for delivery in ("1-2-3", "4-5-6"):  # the delivery's id is not signed: who replays can write another
            assert (await send(hooks, body, {**headers, "X-GitHub-Delivery": delivery})).status == 200
        assert [line.splitlines()[0] for line in hooks.words()] == ["pushed 2 commits (forced) to octo/web main"]
        for wrong in ("", "sha256=", "sha1=abc", right[:-1] + ("0" if right[-1] != "0" else "1")):
            assert (await send(hooks, body, {**headers, "X-Hub-Signature-256": wrong})).status == 401
        form = b"payload=" + json.dumps(payload).encode().hex().encode()
        assert (await send(hooks, form, headers)).status == 401


async def test_github_sends_a_form_by_default(tmp_path: Path) -> None:
    from urllib.parse import urlencode

    event, payload = GITHUB["comment"]
    body = urlencode({"payload": json.dumps(payload)}).encode()
    signature = "sha256=" + hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-GitHub-Event": event, "X-Hub-Signature-256": signature}
    async with Hooks(tmp_path, ends(scheme="github", secret="hush")) as hooks:
        assert (await send(hooks, body, headers)).status == 200
        assert hooks.words() == ["commented on #7 Broken in octo/web\nbold and code"]


async def test_the_door_is_there_while_the_account_is(tmp_path: Path) -> None:
    headers = {**JSON, "X-Gitlab-Token": "hush"}
    async with Hooks(tmp_path, ends(scheme="gitlab", secret="hush")) as hooks:
        await hooks.end()
        assert (await send(hooks, BODY, headers)).status == 401  # the listener says 503 where an account is missing
        await hooks.begin()
        assert (await send(hooks, BODY, headers)).status == 200


async def test_gitlab(tmp_path: Path) -> None:
    body = json.dumps(GITLAB["push"]).encode()
    headers = {**JSON, "X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": "hush", "Idempotency-Key": "k1"}
    async with Hooks(tmp_path, ends(scheme="gitlab", secret="hush")) as hooks:
        assert (await send(hooks, body, headers)).status == 200
        assert (await send(hooks, body, headers)).status == 200  # its retry has the same key
        assert len(hooks.intake.events) == 1
        assert (await send(hooks, body, {**headers, "X-Gitlab-Token": "hus"})).status == 401
        assert (await send(hooks, body, {**headers, "X-Gitlab-Token": "хуш"})).status == 401


@pytest.mark.parametrize("encoding", ["hex", "base64"])
async def test_any_other_hmac(tmp_path: Path, encoding: str) -> None:
    options = {
        "scheme": "hmac",
        "secret": "hush",
        "header": "X-Sig",
        "prefix": "v0=",
        "timestamp_header": "X-At",
        "encoding": encoding,
    }
    clock = StillClock()
    async with Hooks(tmp_path, ends(**options, signed="v0:{timestamp}:{body}", digest="sha512"), clock=clock) as hooks:

        def signed(at_s: int) -> dict[str, str]:
            digest = hmac.new(b"hush", f"v0:{at_s}:".encode() + BODY, hashlib.sha512).digest()
            text = digest.hex().upper() if encoding == "hex" else base64.b64encode(digest).decode()
            return {**JSON, "X-Sig": f"v0={text}", "X-At": str(at_s)}

        now_s = int(clock.now().timestamp())
        assert (await send(hooks, BODY, signed(now_s))).status == 200
        assert (await send(hooks, BODY, signed(now_s))).status == 200
        assert (await send(hooks, BODY, signed(now_s + 1))).status == 200
        assert hooks.words() == ["signed"] * 2
        text = signed(now_s)["X-Sig"].removeprefix("v0=")
        other = text.lower() if encoding == "hex" else text.rstrip("=")
        assert (await send(hooks, BODY, {**signed(now_s), "X-Sig": f"v0={other}"})).status == 200
        assert len(hooks.words()) == 2, "another spelling of the same signature is the same request"
        assert (await send(hooks, BODY, signed(now_s - 301))).status == 401
        assert (await send(hooks, BODY, {**signed(now_s), "X-Sig": signed(now_s)["X-Sig"].removeprefix("v0=")})).status == 401


async def test_without_a_signed_moment_the_same_request_again_says_nothing_new(tmp_path: Path) -> None:
    """Whoever recorded it can send it whenever they like, and write what is not signed as they like."""
    clock = StillClock()
    signature = hmac.new(b"hush", BODY, hashlib.sha256).hexdigest()
    headers = {**JSON, "X-Sig": signature}
    async with Hooks(tmp_path, ends(scheme="hmac", secret="hush", header="X-Sig"), clock=clock) as hooks:
        first = await send(hooks, BODY, headers)
        clock.forward(2 * 86400)
        await hooks.end()
        await hooks.begin()
        for more in ({}, {"Idempotency-Key": "new"}, {"X-Sig": signature.upper()}, {"webhook-id": "other"}):
            again = await send(hooks, BODY, {**headers, **more})
            assert (again.status, again.text) == (200, first.text)
        other = b'{"text": "another"}'
        assert (await send(hooks, other, {**JSON, "X-Sig": hmac.new(b"hush", other, hashlib.sha256).hexdigest()})).status == 200
        assert hooks.words() == ["signed", "another"]


async def test_a_signed_form_with_files(tmp_path: Path) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nsee\r\n'
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nwords\r\n--b--\r\n'
    )
    signature = hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    async with Hooks(tmp_path, ends(scheme="hmac", secret="hush", header="X-Sig")) as hooks:
        headers = {"Content-Type": "multipart/form-data; boundary=b", "X-Sig": signature}
        assert (await send(hooks, body, headers)).status == 200
        (file,) = hooks.created()[0].content.attachments
        assert (hooks.words(), file.name, file.size_bytes) == (["see"], "a.txt", 5)
        assert (await send(hooks, body, {**headers, "X-Sig": "0" * 64})).status == 401
        assert len(list(hooks.received.iterdir())) == 1
