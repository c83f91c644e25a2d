"""What all REST handlers share: tokens, ids, bodies and emoji, as any client meets them."""

from __future__ import annotations

import pytest

from adapters.discord.emulator.api import guess_mime, parse_emoji, parse_person_emoji
from adapters.discord.emulator.errors import ApiError
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.emulator.conftest import Client

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_a_wrong_token_is_refused_and_a_wrong_id_is_named(bench: Bench, call: Client) -> None:
    assert (await call("GET", f"/channels/{bench.chat}", token="wrong"))[0] == 401
    status, answer = await call("GET", "/channels/no-id")
    assert status in (400, 404)
    assert answer["code"] or answer["message"]
    status, answer = await call("GET", "/channels/1")
    assert (status, answer["code"]) == (404, 10003)


async def test_a_body_must_be_an_object(bench: Bench, call: Client) -> None:
    status, answer = await call("POST", f"/channels/{bench.chat}/messages", ["no object"])
    assert status == 400
    assert answer["code"] in (50035, 50109)


async def test_emoji_as_a_path_and_as_a_person_write_them(bench: Bench) -> None:
    api = bench.emulator.api
    written = bench.emulator.add_emoji("party")
    number = written.strip("<>").rpartition(":")[2]
    assert parse_emoji(api, "👍").name == "👍"
    assert parse_emoji(api, f"any:{number}").name == "party"
    for text in (written, ":party:", f"party:{number}"):
        assert parse_person_emoji(api, text).emoji_id == int(number)
    for wrong in ("thumbsup", "party:1", ""):
        with pytest.raises(ApiError):
            parse_emoji(api, wrong)


def test_a_file_without_a_type_is_guessed_by_its_name() -> None:
    assert guess_mime("a.png") == "image/png"
    assert guess_mime("a") == "application/octet-stream"
