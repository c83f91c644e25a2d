"""Where a key is shown: in a path, as a bearer, and where senders add the path of their own platform."""

from __future__ import annotations

import pytest

from bridge.model.web_mount import KeyDirection
from bridge.policy.access_keys import new_secret
from bridge.web.key_paths import NOTHING, Shown, shown
from tests.support.keyed_door import Door, header, status
from tests.support.patience import eventually, stays
from tests.support.raw_http import OK

IN, OUT, API = KeyDirection.IN, KeyDirection.OUT, KeyDirection.API


@pytest.mark.parametrize(
    ("path", "authorization", "expected"),
    [
        ("/in/k", "", Shown(IN, "k", "in")),
        ("/out/k", "Bearer other", Shown(OUT, "k", "out")),
        ("/in/", "Bearer k", Shown(IN, "k", "in")),
        ("/in", "Basic k", Shown(IN, "", "in")),
        ("/in/k/", "Bearer k", NOTHING),
        ("/hooks/k", "Bearer other", Shown(IN, "k", "hooks")),
        ("/hooks", "Bearer k", Shown(IN, "k", "")),
        ("/api", "Bearer k", Shown(IN, "k", "")),
        ("/api/message", "Bearer k", Shown(API, "k", "api/message")),
        ("/api/stream", "", Shown(API, "", "api/stream")),
        ("/api/k/api/websocket", "Bearer other", Shown(API, "k", "api/websocket")),
        ("/api/k", "", Shown(API, "k", "api/")),
        ("/api/k/", "", Shown(API, "k", "api/")),
        ("/api/k/api/nothing", "", NOTHING),
        ("/api/k/stream", "", NOTHING),
        ("/api/k/api/stream/", "", NOTHING),
        ("/hooks/account/end", "Bearer k", None),
        ("/", "Bearer k", Shown(IN, "k", "")),
        ("/a-Topic_1", "bearer k", Shown(IN, "k", "")),
        ("/", "Basic k", None),
        ("/topic", "", None),
        ("/topic/more", "Bearer k", None),
        ("/keys/link", "Bearer k", None),
        ("/" + "a" * 65, "Bearer k", None),
        ("/t.txt", "Bearer k", None),
        ("*", "Bearer k", None),
    ],
)
def test_where_a_key_is_shown(path: str, authorization: str, expected: object) -> None:
    assert shown(path, authorization) == expected


async def test_senders_add_the_path_of_their_own_platform(door: Door) -> None:
    secret = await door.key()
    bearer = f"Authorization: Bearer {secret}\r\n"
    for path, head in ((f"/hooks/{secret}", ""), ("/", bearer), ("/backups", bearer)):
        assert (await door.ask(path, head)).startswith(OK), path
    assert [grant.place for _, grant, _ in door.account.calls] == ["hooks", "", ""]
    assert door.counted() == {("hooks", "in", "taken"): 3}


@pytest.mark.parametrize("prefix", ["", "/bridge"])
async def test_below_a_prefix_too(door: Door, prefix: str) -> None:
    door.public._prefix = "/bridge"
    secret = await door.key()
    assert (await door.ask(f"{prefix}/hooks/{secret}")).startswith(OK)
    assert (await door.ask(f"{prefix}/topic", f"Authorization: Bearer {secret}\r\n")).startswith(OK)


async def test_programs_of_matterbridges_api_show_their_key_in_either_place(door: Door) -> None:
    secret = await door.key(direction=API)
    bearer = f"Authorization: Bearer {secret}\r\n"
    assert (await door.ask("/api/message", bearer)).startswith(OK)
    assert (await door.ask(f"/api/{secret}/api/messages", method="GET", body=b"")).startswith(OK)
    assert [(method, grant.place) for method, grant, _ in door.account.calls] == [("POST", "api/message"), ("GET", "api/messages")]
    assert door.counted() == {("hooks", "api", "taken"): 2}
    for path in (f"/in/{secret}", f"/out/{secret}", f"/hooks/{secret}"):
        assert status(await door.ask(path)) == 401
    other = await door.key("k2")
    assert status(await door.ask("/api/message", f"Authorization: Bearer {other}\r\n")) == 401


async def test_what_one_call_of_them_brings_counts_against_the_rate(door: Door) -> None:
    secret = await door.key(direction=API, per_minute=3)
    assert (await door.ask("/api/message", f"Authorization: Bearer {secret}\r\n")).startswith(OK)
    grant = door.account.calls[0][1]
    assert [grant.spend() for _ in range(2)] == [0.0, 0.0]
    assert grant.spend() > 0
    assert status(await door.ask("/api/message", f"Authorization: Bearer {secret}\r\n")) == 429


async def test_they_have_the_same_limits_and_open_nothing_else(door: Door) -> None:
    reading = await door.key("k2", direction=KeyDirection.OUT)
    secret = await door.key(per_minute=2, most_bytes=100)
    for path in (f"/hooks/{reading}", f"/hooks/{new_secret()}", f"/hooks/{secret}/", f"/hooks/{secret}x", f"/hook/{secret}"):
        assert status(await door.ask(path)) == 401
    assert status(await door.ask("/", f"Authorization: Bearer {reading}\r\n", method="GET")) == 401
    assert status(await door.ask(f"/hooks/{secret}", body=b"x" * 101)) == 413
    assert (await door.ask("/", f"Authorization: Bearer {secret}\r\n")).startswith(OK)
    late = await door.ask(f"/hooks/{secret}")
    assert (status(late), int(header(late, "Retry-After") or "0") > 0) == (429, True)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_a_stranger_learns_nothing_there(door: Door, method: str) -> None:
    wrong = f"Authorization: Bearer {new_secret()}\r\n"
    places = [(f"/hooks/{new_secret()}", ""), ("/hooks/x", ""), ("/", ""), ("/", wrong), ("/topic", wrong), ("/topic", "")]
    answers = {(await door.ask(path, head, method=method)).split(b"Date")[0] for path, head in places}
    assert [status(answer) for answer in answers] == [401]


async def test_a_program_need_not_wait_for_the_answer_to_what_it_posts(door: Door) -> None:
    """Its connection may be gone before the key is found."""
    secret = await door.key(direction=API)
    for number in range(5):
        caller = await door.connect(f"POST /api/{secret}/api/message HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{number:02d}")
        await caller.writer.drain()
        caller.writer.close()
        await eventually(lambda number=number: len(door.account.calls) == number + 1)
    assert [body for _, _, body in door.account.calls] == [f"{number:02d}".encode() for number in range(5)]


async def test_half_a_post_is_none(door: Door) -> None:
    secret = await door.key(direction=API)
    caller = await door.connect(f"POST /api/{secret}/api/message HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12")
    await eventually(lambda: door.account.entered == 1)
    caller.writer.close()
    await stays(lambda: not door.account.calls)
