"""What is kept of what arrives by a key, and its replay."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from bridge.journal.contract import NewArrival
from bridge.journal.contract.keys import ARRIVAL_BODY_BYTES, ARRIVALS_KEPT
from bridge.model.web_mount import KeyDirection
from bridge.policy.access_keys import new_secret
from bridge.web.arrivals import Replays
from tests.support.keyed_door import Door, status
from tests.support.patience import eventually


async def kept(door: Door) -> list[Any]:
    return list(await door.journal.arrivals("k1"))


async def test_what_was_taken_is_kept_only_while_somebody_looks_on(door: Door) -> None:
    secret = await door.key()
    await door.ask(f"/in/{secret}", body=b"before")
    await door.journal.listen_to_key("k1", door.clock.now() + timedelta(seconds=60))
    await door.ask(f"/in/{secret}?a=1", "X-Thing: yes\r\nX-Latin: \u00e4\r\n", body=b"while")
    door.manual.forward(60)
    await door.ask(f"/in/{secret}", body=b"after")
    (one,) = await kept(door)
    assert (one.method, one.query, one.body, one.is_whole, one.status, one.answer) == ("POST", "a=1", b"while", True, 200, "ok")
    assert ("X-Thing", "yes") in one.headers


@pytest.mark.parametrize("raised", [False, True])
async def test_what_was_refused_is_kept_with_its_reason(door: Door, raised: bool) -> None:
    secret = await door.key()
    door.account.answers = [web.HTTPBadRequest(text="no JSON") if raised else web.Response(status=400, text="no JSON")]
    await door.ask(f"/in/{secret}", body=b"{")
    (one,) = await kept(door)
    assert (one.body, one.status, one.answer) == (b"{", 400, "no JSON")


async def test_what_strangers_send_and_what_limits_hold_back_is_not(door: Door) -> None:
    secret = await door.key(per_minute=1)
    await door.journal.listen_to_key("k1", door.clock.now() + timedelta(seconds=60))
    await door.ask(f"/in/{new_secret()}")
    answers = [status(await door.ask(f"/in/{secret}")) for _ in range(3)]
    assert answers == [200, 429, 429]
    assert len(await kept(door)) == 1


async def test_no_secret_is_kept(door: Door) -> None:
    secret = await door.key()
    door.account.answers = [web.Response(status=422, text=f"what is {secret}?")]
    body = b'{"hook": {"url": "https://example.com/in/' + secret.encode() + b'"}}'
    heads = "Cookie: a=hidden1\r\nX-Gitlab-Token: hidden2\r\nX-Hub-Signature-256: hidden3\r\nAuthorization: Basic hidden4\r\n"
    await door.ask(f"/in/{secret}?token=hidden5&again={secret}", heads, body=body)
    (one,) = await kept(door)
    assert "hidden" not in str(one)
    assert secret[4:] not in str(one)
    assert dict(one.headers)["X-Gitlab-Token"] == "***"
    assert one.body == b'{"hook": {"url": "https://example.com/in/mbk_***"}}'


async def test_a_long_body_is_kept_by_its_beginning(door: Door) -> None:
    secret = await door.key()
    door.account.answers = [web.Response(status=422), web.Response(status=422)]
    await door.ask(f"/in/{secret}", body=b"x" * ARRIVAL_BODY_BYTES)
    await door.ask(f"/in/{secret}", body=b"x" * (ARRIVAL_BODY_BYTES + 1))
    assert [(len(one.body), one.is_whole) for one in await kept(door)] == [
        (ARRIVAL_BODY_BYTES, True),
        (ARRIVAL_BODY_BYTES, False),
    ]


async def test_a_replay_goes_the_same_way(door: Door) -> None:
    secret = await door.key(per_minute=1)
    door.account.answers = [web.Response(status=400, text="no template")]
    await door.ask(f"/in/{secret}?a=%D0%B6", "X-Thing: yes\r\nContent-Type: application/json\r\nCookie: a=b\r\n", body=b'{"a": 1}')
    replays = Replays(door.journal, door.clock, door.public)
    await replays.take()
    assert len(door.account.calls) == 1, "nothing was asked for"
    await door.journal.ask_replay("k1", since=door.clock.now() - timedelta(hours=1), at=door.clock.now())
    await replays.take()
    await replays.take()
    (_, again) = door.account.calls
    method, grant, body = again
    assert (method, body, grant.is_replay, grant.key_id) == ("POST", b'{"a": 1}', True, "k1")
    sent = door.account.requests[-1]
    assert sent.query["a"] == "ж"
    assert (sent.headers["X-Thing"], sent.headers["Content-Type"]) == ("yes", "application/json")
    assert "Cookie" not in sent.headers
    (one,) = await kept(door)
    assert (one.status, one.replay_status, one.replay_answer) == (400, 200, "ok")


async def test_what_stands_in_for_the_key_is_gone_afterwards(door: Door) -> None:
    await door.key()
    (key,) = await door.journal.keys()
    assert door.public._keyed is not None
    with door.public._keyed.passing(key) as secret:
        assert status(await door.ask(f"/in/{secret}")) == 200
        assert status(await door.ask(f"/out/{secret}")) == 401
    assert status(await door.ask(f"/in/{secret}")) == 401


async def test_a_replay_by_a_key_that_was_revoked_meanwhile_is_refused(door: Door) -> None:
    secret = await door.key()
    door.account.answers = [web.Response(status=400)]
    await door.ask(f"/in/{secret}")
    await door.journal.ask_replay("k1", since=door.clock.now() - timedelta(hours=1), at=door.clock.now())
    await door.journal.revoke_key("k1", at=door.clock.now())
    await Replays(door.journal, door.clock, door.public).take()
    (one,) = await kept(door)
    assert (one.replay_status, one.replay_answer) == (401, "the key is revoked")
    assert len(door.account.calls) == 1


@pytest.mark.parametrize("place", ["hooks", "", "api/message"])
async def test_a_replay_goes_where_the_request_went(door: Door, place: str) -> None:
    """At another platform's path the same words are read in another way."""
    secret = await door.key(direction=KeyDirection.API if place.startswith("api") else KeyDirection.IN)
    await door.journal.listen_to_key("k1", door.clock.now() + timedelta(seconds=60))
    bearer = f"Authorization: Bearer {secret}\r\n"
    path, head = (f"/hooks/{secret}", "") if place == "hooks" else (f"/{place or 'topic'}", bearer)
    assert status(await door.ask(f"{path}?a=1", head)) == 200
    (one,) = await kept(door)
    assert one.headers[0] == (":path", f"/{place}")
    await door.journal.ask_replay("k1", since=door.clock.now() - timedelta(seconds=60), at=door.clock.now())
    await Replays(door.journal, door.clock, door.public).take()
    first, again = (grant for _, grant, _ in door.account.calls)
    assert (first.place, again.place, again.is_replay) == (place, place, True)


async def test_nobody_names_the_path_of_a_replay(door: Door) -> None:
    secret = await door.key()
    await door.journal.listen_to_key("k1", door.clock.now() + timedelta(seconds=60))
    assert status(await door.ask(f"/in/{secret}", ":path: /hooks\r\n")) == 400
    assert not await kept(door)


async def test_replays_go_on_where_a_daemon_stopped_and_cost_one_at_a_time(door: Door) -> None:
    """Of 10,000 that arrived the newest are kept; a daemon that dies in the middle leaves the others to the next one."""
    await door.key()
    now = door.clock.now()
    came = NewArrival(
        key_id="k1", arrived_at=now, method="POST", query="", headers=(), body=b"", is_whole=True, status=400, answer=""
    )
    for begin in range(0, 10_000, 500):
        together = (replace(came, body=str(number).encode()) for number in range(begin, begin + 500))
        await asyncio.gather(*map(door.journal.keep_arrival, together))
    assert [int(one.body) for one in await kept(door)] == list(range(10_000 - ARRIVALS_KEPT, 10_000))
    asked = await door.journal.ask_replay("k1", since=now - timedelta(hours=1), at=now)
    assert len(asked) == ARRIVALS_KEPT
    dying = asyncio.create_task(Replays(door.journal, door.clock, door.public).take())
    await eventually(lambda: len(door.account.calls) >= 30, what="the daemon is in the middle")
    dying.cancel()
    await asyncio.wait([dying])
    await Replays(door.journal, door.clock, door.public).take()
    told = [int(body) for _, _, body in door.account.calls]
    assert told == sorted(set(told)), "none twice, and in order"
    assert len(told) >= ARRIVALS_KEPT - 1, "but perhaps for the one that was under way"
