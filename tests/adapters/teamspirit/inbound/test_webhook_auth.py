"""Who may call us: nobody without the right key and signature, and nothing is confirmed that is not kept."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest
from aiohttp import web_response
from aiohttp.test_utils import make_mocked_request

from adapters.teamspirit.dialect.events import Authentication
from adapters.teamspirit.emulator import TeamSpiritEmulator
from adapters.teamspirit.inbound.webhook_auth import Credentials
from adapters.teamspirit.inbound.webhook_endpoint import WebhookEndpoint
from bridge.model.adapter import Adapter
from bridge.model.refs import AccountName
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, options_of, running, summary
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually

KEY, SECRET = "the-key", "the-secret"
NOW_S = 1_800_000_000.0
BOTH = Authentication.model_validate(
    {
        "key": {"in": "header", "name": "X-Key"},
        "signature": {
            "header": "X-Sign",
            "prefix": "sha256=",
            "signed": ["timestamp", ".", "body"],
            "timestamp": {"header": "X-Time", "window_s": 300},
        },
    }
)


class Door:
    """A receiver behind a real web server."""

    def __init__(self, web: PublicWeb, authentication: Authentication, *credentials: Credentials) -> None:
        self.taken: list[Any] = []
        self.receiver = WebhookEndpoint(authentication, credentials, now_s=lambda: NOW_S)
        self.receiver.take = self._take
        self.url = web.public_url + web.of(AccountName("spirit")).mount("door", self.receiver.handle)

    async def _take(self, payload: Any, raw: bytes) -> None:
        self.taken.append(payload)

    async def knock(self, body: bytes = b"{}", method: str = "POST", **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
            return await client.request(method, self.url, content=body, headers=given)


def signature(body: bytes, time_s: float = NOW_S, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(time_s))
    made = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X_Key": KEY, "X_Time": stamp, "X_Sign": f"sha256={made}"}


@pytest.fixture
async def door(web: PublicWeb) -> Door:
    return Door(web, BOTH, Credentials(KEY, SECRET))


async def test_the_right_call_comes_in(door: Door) -> None:
    body = json.dumps({"a": "ü"}).encode()
    assert (await door.knock(body, **signature(body))).status_code == 200
    assert door.taken == [{"a": "ü"}]


@pytest.mark.parametrize(
    "change",
    [
        {"X_Key": "other"},
        {"X_Key": ""},
        {"X_Sign": ""},
        {"X_Sign": "sha256="},
        {"X_Sign": "sha256=zz"},
        {"X_Sign": "sha1=" + "0" * 40},
        signature(b"{}", secret="other") | {"X_Key": KEY},
        signature(b'{"other": 1}'),
        signature(b"{}", NOW_S - 301),
        signature(b"{}", NOW_S + 301),
        {"X_Time": "nan"},
        {"X_Time": ""},
        {"X_Time": "soon"},
        {"X_Time": str(int(NOW_S) + 1)},
    ],
)
async def test_wrong_calls_stay_out(door: Door, change: dict[str, str]) -> None:
    answer = await door.knock(b"{}", **{**signature(b"{}"), **change})
    assert answer.status_code == 401
    assert answer.text.strip()
    assert KEY not in answer.text
    assert not door.taken


async def test_missing_headers_stay_out(door: Door) -> None:
    assert (await door.knock()).status_code == 401
    assert (await door.knock(method="GET")).status_code == 405


async def test_a_receiver_without_credentials_lets_nobody_in(web: PublicWeb) -> None:
    for authentication in (BOTH, Authentication.model_validate({"key": {"in": "header", "name": "X-Key"}})):
        door = Door(web, authentication, Credentials())
        empty = signature(b"{}", secret="") | {"X_Key": ""}
        assert (await door.knock(b"{}", **empty)).status_code == 401
        assert not door.taken


async def test_an_authentic_call_that_is_not_readable_is_kept(door: Door) -> None:
    for body in (b"not json", b"\xff\xfe", b"[" * 100_000):
        assert (await door.knock(body, **signature(body))).status_code == 200
    assert door.taken == [None, None, None]


async def test_nobody_there_means_come_again(door: Door) -> None:
    door.receiver.take = None
    answer = await door.knock(b"{}", **signature(b"{}"))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


async def test_bodies_over_the_limit_are_refused(door: Door) -> None:
    headers = {"Content-Length": str(9 * 1024**2)}
    answer = await door.receiver.handle(make_mocked_request("POST", "/hooks/spirit/door", headers=headers))
    assert answer.status == 413


@pytest.mark.parametrize(
    ("place", "content_type", "body", "query"),
    [
        ("body", "application/json", json.dumps({"token": KEY, "text": "x"}).encode(), ""),
        ("body", "application/x-www-form-urlencoded", f"token={KEY}&text=x".encode(), ""),
        ("query", "application/json", b'{"text": "x"}', f"?token={KEY}"),
    ],
)
async def test_keys_in_other_places(web: PublicWeb, place: str, content_type: str, body: bytes, query: str) -> None:
    door = Door(web, Authentication.model_validate({"key": {"in": place, "name": "token"}}), Credentials(KEY))
    door.url += query
    assert (await door.knock(body, Content_Type=content_type)).status_code == 200
    assert door.taken[0]["text"] == "x"
    door.url = door.url.replace(KEY, "other")
    wrong = body.replace(KEY.encode(), b"other")
    assert (await door.knock(wrong, Content_Type=content_type)).status_code == 401
    if place == "body":
        assert (await door.knock(b"{", Content_Type="application/json")).status_code == 400


async def test_other_algorithms_and_encodings(web: PublicWeb) -> None:
    check = {"signature": {"header": "X-Sign", "algorithm": "sha512", "encoding": "base64"}}
    door = Door(web, Authentication.model_validate(check), Credentials(secret=SECRET))
    made = base64.b64encode(hmac.new(SECRET.encode(), b"{}", hashlib.sha512).digest()).decode()
    assert (await door.knock(X_Sign=made)).status_code == 200
    assert (await door.knock(X_Sign=made[:-4] + "AAA=")).status_code == 401
    assert (await door.knock(X_Sign="!!")).status_code == 401


async def test_what_the_dialect_does_not_know_is_kept_and_confirmed(
    emulator: TeamSpiritEmulator, web: PublicWeb, intake: RecordingIntake
) -> None:
    chat = emulator.add_chat("team").chat_id
    intake.chats.add(chat)
    given = {"path": "a-path-hard-to-guess", "key": KEY, "secret": SECRET}
    adapter: Adapter = make_adapter(options_of(emulator, webhook=given), web)
    hook = emulator.outgoing_webhook(f"{web.public_url}/hooks/spirit/a-path-hard-to-guess")
    hook.key, hook.secret = KEY, SECRET
    async with running(adapter, intake):
        for body in (
            {"event": "unheard.of"},
            {"event": "message.created"},
            [1],
            "x",
            {"event": "reaction.added", "chat": {"id": chat}},
        ):
            emulator.world.outgoing.emit(body, chat)
        await intake.until(lambda: len(intake.undecoded) == 5)
        await emulator.say(chat, "Anna", "goes on")
        await intake.wait(1)
    assert summary(intake) == ["+goes on"]
    assert "POST /webhooks" not in emulator.calls(), "one set up by hand is not registered again"
    await adapter.close()


WORDS = {"text": "für 10 €", "number": 1}
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content_type", "body", "payload"),
    [
        (FORM, json.dumps(WORDS).encode(), WORDS),
        ("text/plain", json.dumps(WORDS, ensure_ascii=False).encode(), WORDS),
        ("application/json", b"\xef\xbb\xbf" + json.dumps(WORDS, ensure_ascii=False).encode(), WORDS),
        ("application/json", json.dumps(WORDS, ensure_ascii=False).encode("utf-16"), WORDS),
        ("application/json; charset=utf-16le", json.dumps(WORDS, ensure_ascii=False).encode("utf-16-le"), WORDS),
        ("application/json; charset=windows-1252", json.dumps(WORDS, ensure_ascii=False).encode("cp1252"), WORDS),
        ("application/json; charset=ISO-8859-15", json.dumps(WORDS, ensure_ascii=False).encode("iso8859-15"), WORDS),
        ("application/json; charset=nonsense", json.dumps(WORDS, ensure_ascii=False).encode(), WORDS),
        ("application/json", b"text=f%C3%BCr&number=1", {"text": "für", "number": "1"}),
        (FORM, b"payload=%7B%22text%22%3A+%22x%22%7D", {"text": "x"}),
        (FORM, b"payload=words&x=1", {"payload": "words", "x": "1"}),
        ("application/json", b'{"n": ' + b"9" * 5000 + b"}", {"n": "9" * 5000}),
        ("application/json", b"\n " + json.dumps(WORDS).encode() + b"\r\n", WORDS),
    ],
)
async def test_senders_state_other_types_than_they_send(door: Door, content_type: str, body: bytes, payload: Any) -> None:
    answer = await door.knock(body, **signature(body) | {"Content_Type": content_type})
    assert (answer.status_code, answer.text) == (200, "")
    assert door.taken == [payload]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (gzip.compress(b"{}", mtime=0), "compressed"),
        (b"", "empty"),
        ("für".encode("cp1252"), "not UTF-8"),
        (b'{"a": 1,}', "line 1, column"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nx", "not JSON"),
    ],
)
async def test_what_cannot_be_read_is_kept_and_the_sender_is_told_why(door: Door, body: bytes, why: str) -> None:
    answer = await door.knock(body, **signature(body))
    assert answer.status_code == 200
    assert why in answer.text
    assert door.taken == [None]


@pytest.mark.parametrize(
    "change",
    [
        {"X_Time": "9" * 5000},
        {"X_Time": "-" + "9" * 5000},
        {"X_Time": "1e400"},
        {"X_Time": "\u0661\u0662"},
        {"X_Key": "k\u00e9y"},
        {"X_Sign": "sha256=\u00e9"},
        {"X_Sign": "sha256=" + "0" * 5000},
    ],
)
async def test_odd_headers_are_refused_like_any_other(door: Door, change: dict[str, str]) -> None:
    headers = {name.replace("_", "-"): value for name, value in {**signature(b"{}"), **change}.items()}
    request = make_mocked_request("POST", "/hooks/spirit/door", headers=headers)
    answer = await door.receiver.handle(request)
    assert answer.status == 401


async def test_headers_that_are_no_text_are_refused_like_any_other(door: Door) -> None:
    url = httpx.URL(door.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    stamp = str(int(NOW_S)).encode()
    writer.write(b"POST " + url.raw_path + b" HTTP/1.1\r\nHost: x\r\nX-Key: k\xe9y\xff\r\nX-Time: " + stamp + b"\r\n")
    writer.write(b"X-Sign: sha256=00\xff\r\nContent-Length: 2\r\n\r\n{}")
    assert (await reader.readline()).split()[1] == b"401"
    writer.close()


async def test_a_clock_that_is_wrong_is_told_by_how_much(door: Door) -> None:
    request = make_mocked_request("POST", "/", headers={"X-Time": str(int(NOW_S) - 3600)})
    answer = await door.receiver.handle(request)
    assert isinstance(answer, web_response.Response)
    assert answer.text is not None
    assert "3600 s from our clock" in answer.text


async def test_calls_wait_a_moment_for_the_account(door: Door) -> None:
    """In the order in which they came: a refused one would come again behind what was said since."""
    take, door.receiver.take = door.receiver.take, None
    bodies = [json.dumps({"n": number}).encode() for number in range(5)]
    calls = []
    for body in bodies:
        calls.append(asyncio.create_task(door.knock(body, **signature(body))))
        await eventually(lambda: door.receiver.held == len(calls))
    door.receiver.take = take
    assert [(await call).status_code for call in calls] == [200] * 5
    assert door.taken == [{"n": number} for number in range(5)]


async def test_calls_wait_for_the_credentials_too(door: Door) -> None:
    door.receiver.renew([], more_to_come=True)
    call = asyncio.create_task(door.knock(b"{}", **signature(b"{}")))
    await eventually(lambda: door.receiver.held == 1)
    door.receiver.renew([Credentials(KEY, SECRET)])
    assert (await call).status_code == 200


async def test_old_and_new_credentials_are_let_in_while_they_change(door: Door) -> None:
    """A key that is being rotated: what was signed before may still come, and nobody else."""
    door.receiver.renew([Credentials("new-key", "new-secret"), Credentials(KEY, SECRET)])
    fresh = signature(b"{}", secret="new-secret") | {"X_Key": "new-key"}
    assert (await door.knock(b"{}", **signature(b"{}"))).status_code == 200
    assert (await door.knock(b"{}", **fresh)).status_code == 200
    assert (await door.knock(b"{}", **signature(b"{}", secret="other"))).status_code == 401
    door.receiver.renew([Credentials("new-key", "new-secret")])
    assert (await door.knock(b"{}", **signature(b"{}"))).status_code == 401


async def test_what_fits_already_does_not_wait_for_new_credentials(door: Door) -> None:
    door.receiver.renew([Credentials(KEY, SECRET)], more_to_come=True)
    assert (await door.knock(b"{}", **signature(b"{}"))).status_code == 200
    early = asyncio.create_task(door.knock(b"{}", **signature(b"{}", secret="new-secret")))
    await eventually(lambda: door.receiver.held == 1)
    door.receiver.renew([Credentials(KEY, "new-secret"), Credentials(KEY, SECRET)])
    assert (await early).status_code == 200
