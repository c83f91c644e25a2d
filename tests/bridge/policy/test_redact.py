"""No secret survives the masker, and nothing else is touched."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy.redact import MASK, Masker

TELEGRAM = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
DISCORD = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"
WEBHOOK = "kD9s0w_dkDJskqQ-jdkfjsl39dkfjs0dkfjsl30dkfjsl3d0fkjsl3"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (TELEGRAM, MASK),
        (f"token={TELEGRAM}, next", f"token={MASK}, next"),
        (f"https://api.telegram.org/bot{TELEGRAM}/getMe", f"https://api.telegram.org/bot{MASK}/getMe"),
        (f"https://api.telegram.org/file/bot{TELEGRAM}/photos/1.jpg", f"https://api.telegram.org/file/bot{MASK}/photos/1.jpg"),
        (f"url('http://127.0.0.1:8081/bot{TELEGRAM}/x')", f"url('http://127.0.0.1:8081/bot{MASK}/x')"),
        ("http://localhost/bot123:short/getUpdates", f"http://localhost/bot{MASK}/getUpdates"),
        (quote(TELEGRAM, safe=""), MASK),
        ("xoxb-1234567890-abcdefghij", MASK),
        ("xoxe.xoxp-1-Mi0yLTE", MASK),
        ("error xapp-1-A024BE7LH-1234-abcdef at", f"error {MASK} at"),
        ("https://hooks.slack.com/services/T024BE7LH/B024BE7LH/abcdefghijklmnopqrstuvwx", None),
        (
            "wss://wss-primary.slack.com/link/?ticket=c0ffee-11&app_id=A1",
            f"wss://wss-primary.slack.com/link/?ticket={MASK}&app_id=A1",
        ),
        (DISCORD, MASK),
        (f"Authorization: Bot {DISCORD}", f"Authorization: Bot {MASK}"),
        ("{'Authorization': 'Bearer abcdefghijklmnop'}", f"{{'Authorization': 'Bearer {MASK}'}}"),
        (f"POST https://discord.com/api/v10/webhooks/112233445566778899/{WEBHOOK}?wait=true", None),
        ("https://im.example.com/hooks/abcdefghijklmnopqrstuvwxyz", f"https://im.example.com/hooks/{MASK}"),
        (
            "POST https://chat.example.com/hooks/5f2c9e1b7a0d4c0011223344/AbCdEf0123456789abcdefghijklmnopqrstuvwx: 500",
            f"POST https://chat.example.com/hooks/{MASK}: 500",
        ),
        ("https://api.pachca.com/webhooks/01HN6X3W7DABCDEFGHJKMNPQRS", f"https://api.pachca.com/webhooks/{MASK}"),
        ("X-Api-Key: 0123456789abcdef", f"X-Api-Key: {MASK}"),
        ('"api_key": "0123456789abcdef"', f'"api_key": "{MASK}"'),
        ("https://im.example.com/x?token=abcdef&y=1", f"https://im.example.com/x?token={MASK}&y=1"),
        ("proxy http://me:secret@proxy.example:3128 refused", f"proxy http://me:{MASK}@proxy.example:3128 refused"),
    ],
)
def test_shapes_of_tokens(text: str, masked: str | None) -> None:
    found = Masker()(text)
    if masked is not None:
        assert found == masked
    for part in ("AAHdqTcvCH1vGWJxf", "abcdefghijklmnopqrstuvwx", WEBHOOK, "ZnCjm1XVW7vRze4b7Cq4se7kKWs"):
        assert part not in found


@pytest.mark.parametrize(
    "text",
    [
        "relaying to tg/-1001234567890/45 at 2026-11-23T06:40:50.123456Z",
        "guild/112233445566778899 message 1122334455667788990",
        "team/#engineering C024BE7LH 1700000000.123456",
        "https://discord.com/channels/112233445566778899/112233445566778899/112233445566778899",
        "https://api.telegram.org/ is not reachable: [Errno 111] Connect call failed ('149.154.167.220', 443)",
        "the robot said Bearer of bad news",
        "12:30:45 and 127.0.0.1:8080 and [::1]:9000",
        "key=value level=info event='account up' account=tg",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "/hooks/spirit/incoming",
        "bridge.yaml:12:5: routes[0].between[1]: unknown account 'tgg' - did you mean 'tg'?",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Masker(["a-known-secret"])(text) == text


@given(
    secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=60).filter(lambda text: text.strip("*") != ""),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_a_known_secret_never_shows(secret: str, before: str, after: str) -> None:
    mask = Masker([secret])
    for form in (secret, quote(secret), quote(secret, safe="")):
        if form not in before + MASK + after:
            assert form not in mask(f"{before}|{form}|{after}").replace(MASK, "\0")
    assert secret not in repr(mask)


def test_secrets_that_contain_each_other() -> None:
    assert Masker(["secret", "secret-and-more"])("secret-and-more secret") == f"{MASK} {MASK}"


def test_secrets_may_be_added_and_short_ones_do_not_hide_everything() -> None:
    mask = Masker(["1", "ab"])
    assert mask("1 ab later") == "1 ab later"
    mask.add(["later"])
    assert mask("1 ab later") == f"1 ab {MASK}"


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "bot" * 8000, "x:" * 10_000, "http://" * 3000, "1234567890" * 2000, "api_key=" * 3000, "M" * 20_000]
)
def test_long_input_takes_no_time(text: str) -> None:
    begun = time.process_time()
    Masker(["known-secret"])(text)
    assert time.process_time() - begun < 2
