"""The adapter's pure parts: options, the error table, the limiter, permissions, the probe's advice."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from adapters.common.http_errors import Effect
from adapters.discord.config import DiscordOptions
from adapters.discord.errors import CLOSE_CODES, Refusal, classify, refusal_of
from adapters.discord.limiter import Limiter
from adapters.discord.places import Places
from adapters.registry import load_platform
from bridge.model.adapter import Deletes, Edits, OpensFiles, Pins, Reacts, ReadsHistory, Reconciles, ShowsTyping
from bridge.model.capabilities import Feature, Support
from bridge.model.errors import AccountDown, ChangeRefused, ChatDown, MessageGone, OutcomeUnknown, Rejected, RetryLater, Scope
from tests.support.patience import eventually

from .conftest import Bench

# -- options ------------------------------------------------------------------------------------------------------------------


def test_options_are_strict_and_hide_the_token() -> None:
    options = DiscordOptions(token="se.cr.et")
    assert "se.cr.et" not in repr(options)
    for wrong in ({"tokn": "x"}, {"gateway_url": "https://x"}, {"api_url": "x"}, {"webhook_name": "My Discord"}, {"token": ""}):
        with pytest.raises(ValidationError):
            DiscordOptions(**{"token": "x", **wrong})


@pytest.mark.parametrize(
    ("address", "ok"),
    [("112233445566778899", True), ("general", True), ("#general", True), ("12345", False), ("a b", False), ("@anna", False)],
)
def test_addresses(address: str, ok: bool) -> None:
    assert (load_platform("discord").check_address(address) is None) is ok


def test_threads_are_ids() -> None:
    assert load_platform("discord").check_thread("112233445566778899") is None
    assert load_platform("discord").check_thread("general")


async def test_abilities_are_declared_exactly_when_they_are_there(bench: Bench) -> None:
    adapter = bench.adapter()
    for ability in (Edits, Deletes, Reacts, OpensFiles, ReadsHistory, Reconciles, ShowsTyping, Pins):
        assert isinstance(adapter, ability)
    for feature in (Feature.EDIT, Feature.DELETE, Feature.REACT, Feature.HISTORY, Feature.RECONCILE, Feature.TYPING, Feature.PIN):
        assert adapter.capabilities.native(feature)
    assert adapter.capabilities.level(Feature.STATUS) is Support.DROPPED


def test_posting_as_the_bot_changes_what_is_declared() -> None:
    as_bot = load_platform("discord").capabilities(DiscordOptions(token="x", post_as="bot"))
    assert as_bot.level(Feature.SENDER_NAME) is Support.CONVERTED
    assert as_bot.level(Feature.REPLY) is Support.FULL
    assert load_platform("discord").capabilities(None).level(Feature.SENDER_NAME) is Support.FULL


# -- errors -------------------------------------------------------------------------------------------------------------------

TABLE = [
    (Refusal(status=400, code=50006), Rejected),
    (Refusal(status=400, code=50035), Rejected),
    (Refusal(status=400, code=200000), Rejected),
    (Refusal(status=413, code=40005), Rejected),
    (Refusal(status=404, code=10008), MessageGone),
    (Refusal(status=403, code=50005), ChangeRefused),
    (Refusal(status=400, code=50021), ChangeRefused),
    (Refusal(status=400, code=30046), RetryLater),
    (Refusal(status=404, code=10003), ChatDown),
    (Refusal(status=403, code=50001), ChatDown),
    (Refusal(status=403, code=50013), ChatDown),
    (Refusal(status=403, code=160005), ChatDown),
    (Refusal(status=401, code=0), AccountDown),
    (Refusal(status=403, code=40002), AccountDown),
    (Refusal(status=429, retry_after_s=3.0), RetryLater),
    (Refusal(status=429, code=20028, retry_after_s=3.0), RetryLater),
    (Refusal(status=403, code=20028), RetryLater),
    (Refusal(status=503, code=130000), RetryLater),
    (Refusal(status=400, code=40062), RetryLater),
    (Refusal(status=502, is_json=False), RetryLater),
    (Refusal(status=403, is_json=False), RetryLater),
    (Refusal(status=418), Rejected),
]


@pytest.mark.parametrize(("refusal", "error"), TABLE, ids=[f"{r.status}-{r.code}" for r, _ in TABLE])
def test_every_refusal_has_its_class(refusal: Refusal, error: type[Exception]) -> None:
    assert type(classify(refusal, effect=Effect.IDEMPOTENT)) is error


def test_a_server_error_leaves_a_sends_outcome_open() -> None:
    assert isinstance(classify(Refusal(status=500), effect=Effect.CREATES), OutcomeUnknown)
    assert isinstance(classify(Refusal(status=429, retry_after_s=1.0), effect=Effect.CREATES), RetryLater)


def test_what_a_rate_limit_concerns() -> None:
    chat = classify(refusal_of(429, {"message": "m", "retry_after": 1.5, "global": False}, {}), effect=Effect.CREATES)
    everything = classify(refusal_of(429, {"message": "m", "retry_after": 1.5, "global": True}, {}), effect=Effect.CREATES)
    proxy = classify(refusal_of(429, None, {}), effect=Effect.CREATES)
    assert isinstance(chat, RetryLater)
    assert isinstance(everything, RetryLater)
    assert isinstance(proxy, RetryLater)
    assert (chat.scope, everything.scope, proxy.scope) == (Scope.CHAT, Scope.ACCOUNT, Scope.ACCOUNT)
    assert (chat.after_s, proxy.after_s) == (1.5, None)
    assert all(error.rate_limited for error in (chat, everything, proxy))


@pytest.mark.parametrize(
    ("payload", "headers", "scope", "after_s"),
    [
        # the API without a time: its route, and the core's own back-off
        ({"message": "m", "global": False}, {}, Scope.CHAT, None),
        ({"message": "m", "retry_after": None, "global": False}, {"Retry-After": "3"}, Scope.CHAT, 3.0),
        ({"message": "m", "retry_after": "soon"}, {"X-RateLimit-Reset-After": "0.7"}, Scope.CHAT, 0.7),
        # its body lost on the way: the headers say whose it is
        (None, {"X-RateLimit-Scope": "user", "X-RateLimit-Reset-After": "2.5"}, Scope.CHAT, 2.5),
        (None, {"X-RateLimit-Scope": "shared"}, Scope.CHAT, None),
        (None, {"X-RateLimit-Bucket": "abc"}, Scope.CHAT, None),
        (None, {"X-RateLimit-Scope": "global", "Retry-After": "4"}, Scope.ACCOUNT, 4.0),
        ({"message": "m", "global": True}, {}, Scope.ACCOUNT, None),
        # the proxy in front of it: the whole address
        (None, {"Retry-After": "30"}, Scope.ACCOUNT, 30.0),
    ],
)
def test_a_rate_limit_that_tells_no_time_holds_back_no_more_than_it_concerns(
    payload: object, headers: dict[str, str], scope: Scope, after_s: float | None
) -> None:
    error = classify(refusal_of(429, payload, headers), effect=Effect.CREATES)
    assert isinstance(error, RetryLater)
    assert (error.scope, error.after_s, error.rate_limited) == (scope, after_s, True)


def test_faulty_fields_are_named() -> None:
    errors = {"embeds": {"0": {"title": {"_errors": [{"code": "X", "message": "m"}]}}}, "username": {"_errors": []}}
    refusal = refusal_of(400, {"code": 50035, "message": "Invalid Form Body", "errors": errors}, {})
    assert refusal.fields == ("embeds.0.title", "username")
    assert "embeds.0.title" in str(refusal)


def test_every_final_close_code_says_what_to_do() -> None:
    assert set(CLOSE_CODES) == {4004, 4010, 4011, 4012, 4013, 4014}
    assert all(reason and action for reason, action in CLOSE_CODES.values())


# -- limiter ------------------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 2))
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def headers(remaining: int, reset_after_s: float) -> dict[str, str]:
    return {"X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset-After": str(reset_after_s)}


async def test_a_used_up_bucket_is_waited_for_and_only_that_one(clock: Clock) -> None:
    limiter = Limiter(1000, now=clock, sleep=clock.sleep)
    limiter.learn("a", headers(0, 1.0))
    await limiter.admit("b", is_bot=False)
    assert clock.slept == []
    await limiter.admit("a", is_bot=False)
    assert clock.slept == [1.02]
    await limiter.admit("a", is_bot=False)
    assert clock.slept == [1.02], "a new window"


async def test_a_long_wait_is_told_instead_of_slept(clock: Clock) -> None:
    limiter = Limiter(1000, now=clock, sleep=clock.sleep)
    limiter.block("a", 30.0)
    with pytest.raises(RetryLater) as raised:
        await limiter.admit("a", is_bot=False)
    assert raised.value.after_s is not None
    assert 29 < raised.value.after_s < 31
    limiter.block(None, 10.0)
    with pytest.raises(RetryLater) as everything:
        await limiter.admit("c", is_bot=False)
    assert everything.value.scope is Scope.ACCOUNT
    clock.now += 31
    await limiter.admit("a", is_bot=False)
    assert clock.slept == []


async def test_calls_on_their_way_count(clock: Clock) -> None:
    limiter = Limiter(1000, now=clock, sleep=clock.sleep)
    limiter.learn("a", headers(2, 1.0))
    for _ in range(2):
        await limiter.admit("a", is_bot=False)
    await limiter.admit("a", is_bot=False)
    assert clock.slept == [1.02]


async def test_an_answer_that_was_overtaken_does_not_give_tokens_back(clock: Clock) -> None:
    limiter = Limiter(1000, now=clock, sleep=clock.sleep)
    limiter.learn("a", headers(0, 1.0))
    limiter.learn("a", headers(3, 1.0))
    await limiter.admit("a", is_bot=False)
    assert clock.slept == [1.02]


async def test_the_bots_own_rate_is_kept_and_webhooks_do_not_count(clock: Clock) -> None:
    limiter = Limiter(10, now=clock, sleep=clock.sleep)
    for _ in range(10):
        await limiter.admit("a", is_bot=True)
    await limiter.admit("hook", is_bot=False)
    assert clock.slept == []
    await limiter.admit("a", is_bot=True)
    assert clock.slept == [0.1]


def test_nonsense_in_headers_teaches_nothing(clock: Clock) -> None:
    limiter = Limiter(10, now=clock, sleep=clock.sleep)
    limiter.learn("a", {"X-RateLimit-Remaining": "many", "X-RateLimit-Reset-After": "soon"})


@pytest.mark.parametrize("told", ["1e300", "inf", "nan", "-5", "soon", 1e300, None, [], "9" * 400])
def test_no_wait_that_is_told_lasts_for_ever(told: object) -> None:
    clock = Clock()
    limiter = Limiter(10, now=clock, sleep=clock.sleep)
    limiter.learn("a", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": str(told)})
    assert limiter._bucket_wait_s("a") <= 3601
    refusal = refusal_of(429, {"retry_after": told}, {"Retry-After": str(told)})
    error = classify(refusal, effect=Effect.CREATES)
    assert isinstance(error, RetryLater)
    assert error.after_s is None or 0 <= error.after_s <= 3600


# -- permissions --------------------------------------------------------------------------------------------------------------


def test_permissions_follow_roles_then_overwrites() -> None:
    places = Places()
    roles = [
        {"id": "1", "name": "@everyone", "permissions": str(0b0011)},
        {"id": "2", "name": "bridge", "permissions": str(0b0100)},
    ]
    overwrites = [
        {"id": "1", "type": 0, "allow": "0", "deny": str(0b0001)},
        {"id": "2", "type": 0, "allow": str(0b1000), "deny": "0"},
        {"id": "9", "type": 1, "allow": "0", "deny": str(0b0010)},
    ]
    channels = [{"id": "5", "type": 0, "name": "a", "permission_overwrites": overwrites}, {"id": "6", "type": 0, "name": "b"}]
    guild = {
        "id": "1",
        "name": "g",
        "owner_id": "77",
        "roles": roles,
        "channels": channels,
        "threads": [{"id": "7", "type": 11, "name": "t", "parent_id": "5"}],
        "members": [{"user": {"id": "9"}, "roles": ["2"]}],
    }
    places.apply("GUILD_CREATE", guild, "9")
    assert places.permissions("5", "9") == 0b1100
    assert places.permissions("7", "9") == 0b1100, "a thread has its channel's"
    assert places.permissions("6", "9") == 0b0111
    assert places.permissions("404", "9") is None
    places.apply("GUILD_ROLE_UPDATE", {"guild_id": "1", "role": {"id": "2", "name": "bridge", "permissions": "8"}}, "9")
    assert places.permissions("5", "9") == -1, "an administrator may do everything"


# -- addresses ----------------------------------------------------------------------------------------------------------------


async def test_channels_are_found_by_name(bench: Bench) -> None:
    adapter = bench.adapter()
    assert await adapter.resolve("#general") == bench.chat
    assert await adapter.resolve("general") == bench.chat
    assert await adapter.resolve(bench.chat) == bench.chat
    with pytest.raises(ChatDown):
        await adapter.resolve("nowhere")
    bench.emulator.add_chat("general")
    other = bench.adapter()
    with pytest.raises(ChatDown, match="2 channels"):
        await other.resolve("general")


async def test_a_threads_id_is_no_chat_of_its_own(bench: Bench) -> None:
    thread = await bench.emulator.start_thread(bench.chat, "Anna", "Topic")
    adapter = bench.adapter()
    async with bench.running(adapter, bench.intake()):
        with pytest.raises(ChatDown) as raised:
            await adapter.resolve(thread)
    assert f"{bench.chat}/{thread}" in raised.value.action


async def test_two_accounts_with_different_servers_live_in_one_process(bench: Bench) -> None:
    from adapters.discord.emulator import DiscordEmulator

    second = DiscordEmulator()
    await second.start()
    other = Bench(second)
    async with bench.running(bench.adapter(), here := bench.intake()), other.running(other.adapter(), there := other.intake()):
        await bench.emulator.say(bench.chat, "Anna", "here")
        await second.say(other.chat, "Boris", "there")
        await eventually(lambda: here.texts() == ["here"] and there.texts() == ["there"])
    await other.close()
