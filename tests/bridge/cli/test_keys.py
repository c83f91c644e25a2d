"""Keys as an admin makes, lists, rotates and revokes them, beside a daemon that has the journal open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.journal.contract import Invite, StoredKey
from bridge.journal.sqlite import SqliteJournal
from bridge.policy.access_keys import LINK_PREFIX, hash_of, looks_right
from tests.bridge.cli.conftest import Cli

CONFIG = """\
accounts:
  hooks:
    platform: webhook
    secret: ${A_SECRET_THAT_ONLY_THE_SERVICE_HAS}
    ends: {alerts: {url: 'https://r.example'}, site: {url: 'https://r.example', form: {}}, reader: {fetch: true}}
  tg: {platform: telegram, token: "${TELEGRAM_TOKEN}"}
routes:
  - {name: alerts, from: hooks/alerts, to: tg/-1001234567890}
  - {name: reading, from: tg/-1001234567890, to: hooks/reader}
  - {name: both, between: [hooks/site, hooks/alerts]}
"""
PUBLIC = "web: {public: {listen: '127.0.0.1:8080', url: 'https://example.com/bridge/'}}\n"


@pytest.fixture
def daemon(folder: Path) -> Iterator[SqliteJournal]:
    """A journal that a daemon has open."""
    (folder / "bridge.yaml").write_text(CONFIG + PUBLIC)
    journal = SqliteJournal(folder / "messenger-bridge.journal")
    runner = asyncio.Runner()
    runner.run(journal.open())
    yield journal
    runner.run(journal.close())
    runner.close()


def stored(folder: Path) -> list[StoredKey]:
    async def look() -> list[StoredKey]:
        journal = SqliteJournal(folder / "messenger-bridge.journal", exclusive=False)
        await journal.open()
        try:
            return list(await journal.keys())
        finally:
            await journal.close()

    return asyncio.run(look())


def made(cli: Cli, *arguments: str) -> dict[str, Any]:
    done = cli("keys", "create", *arguments, "--json")
    assert done.code == 0, done
    return dict(done.data)


def test_a_key_is_shown_once_with_its_url(cli: Cli, daemon: SqliteJournal, folder: Path) -> None:
    done = cli("keys", "create", "hooks/alerts", "--in", "--label", "Grafana\x1b[2J  prod", "--per-minute", "7", "--max-mb", "1.5")
    assert done.code == 0
    (line,) = done.out.splitlines()
    base, _, secret = line.rpartition("/")
    assert base == "https://example.com/bridge/in"
    assert looks_right(secret)
    (key,) = stored(folder)
    assert (key.per_minute, key.most_bytes, key.label) == (7, 1_500_000, "Grafana\x1b[2J prod")
    assert [one.hash for one in key.secrets] == [hash_of(secret)]
    listed = cli("keys", "list")
    assert secret[4:] not in listed.out
    assert "\x1b" not in listed.out
    assert key.key_id in listed.out
    files = [path for path in folder.iterdir() if path.name.startswith("messenger-bridge.journal")]
    assert files
    assert not any(secret[4:].encode() in path.read_bytes() for path in files)


def test_a_route_with_one_such_end_names_it(cli: Cli, daemon: SqliteJournal) -> None:
    assert made(cli, "alerts", "--in")["address"] == "hooks/alerts"
    assert made(cli, "reading", "--out")["address"] == "hooks/reader"
    done = cli("keys", "create", "both", "--in")
    assert done.code == 2
    assert "hooks/site, hooks/alerts" in done.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("hooks/alerts",), "give --in (the holder posts), --out"),
        (("hooks/alerts", "--in", "--out"), "give --in (the holder posts), --out"),
        (("hooks/alerts", "--api", "--form"), "a form can only post"),
        (("hooks/*", "--in"), "letters, digits"),
        (("tg/-1001234567890", "--in"), "accounts that take keys: hooks"),
        (("hooks", "--in"), "neither ACCOUNT/END nor a route"),
        (("nobody/alerts", "--in"), "neither ACCOUNT/END nor a route"),
        (("hooks/a b", "--in"), "letters, digits"),
        (("hooks/alerts", "--out", "--form"), "a form can only post"),
        (("hooks/alerts", "--in", "--origin", "https://example.com"), "--origin needs --form"),
        (("hooks/site", "--in", "--form", "--origin", "example.com"), "is no site"),
        (("hooks/site", "--in", "--form", "--origin", "https://example.com/page"), "is no site"),
        (("hooks/site", "--in", "--form", "--origin", "https://example.com:99999"), "out of range"),
        (("hooks/site", "--in", "--per-minute", "0"), "per-minute"),
        (("hooks/site", "--in", "--max-mb", "5000"), "max-mb"),
    ],
)
def test_what_cannot_be_is_said_and_makes_no_key(
    cli: Cli, daemon: SqliteJournal, folder: Path, arguments: tuple[str, ...], why: str
) -> None:
    done = cli("keys", "create", *arguments)
    assert done.code == 2
    assert why in done.err
    assert stored(folder) == []


def test_a_chat_that_no_route_takes_up_is_warned_of(cli: Cli, daemon: SqliteJournal) -> None:
    assert "no route takes messages from hooks/reader" in cli("keys", "create", "hooks/reader", "--in").err
    assert "warning" not in cli("keys", "create", "hooks/reader", "--out").err


def test_a_key_of_matterbridges_api_may_be_for_all_ends(cli: Cli, daemon: SqliteJournal, folder: Path) -> None:
    done = cli("keys", "create", "hooks/*", "--api")
    secret = done.out.strip().rpartition("/")[2]
    assert done.out.strip() == f"https://example.com/bridge/api/{secret}"
    assert f"the address https://example.com/bridge and the token {secret}" in done.err
    assert "warning" not in done.err
    made(cli, "hooks/reader", "--api", "--per-minute", "7")
    assert {(key.chat, key.direction.value, key.per_minute) for key in stored(folder)} == {("*", "api", 600), ("reader", "api", 7)}
    assert "no route has tg" not in cli("keys", "create", "hooks/reader", "--api").err


def test_sites_are_kept_as_browsers_name_them(cli: Cli, daemon: SqliteJournal, folder: Path) -> None:
    sites = ("HTTPS://Example.com/", "https://example.com:443", "http://localhost:8000")
    made(cli, "hooks/site", "--in", "--form", *(word for site in sites for word in ("--origin", site)))
    (key,) = stored(folder)
    assert (key.is_form, key.origins) == (True, ("https://example.com", "http://localhost:8000"))


def test_without_a_public_url_the_key_alone_is_shown(cli: Cli, daemon: SqliteJournal, folder: Path) -> None:
    (folder / "bridge.yaml").write_text(CONFIG.replace("fetch: true", "url: 'https://r.example'").replace(", form: {}", ""))
    done = cli("keys", "create", "alerts", "--in")
    assert looks_right(done.out.strip())
    assert "no web.public" in done.err


def test_a_rotated_key_has_two_for_a_while(cli: Cli, daemon: SqliteJournal, folder: Path) -> None:
    first = made(cli, "hooks/alerts", "--in")
    done = cli("keys", "rotate", first["id"], "--overlap-days", "3", "--json")
    assert (done.code, done.data["id"], done.data["address"]) == (0, first["id"], "hooks/alerts")
    assert done.data["key"] != first["key"]
    (key,) = stored(folder)
    old, new = key.secrets
    assert [old.hash, new.hash] == [hash_of(first["key"]), hash_of(done.data["key"])]
    assert old.valid_until is not None
    assert timedelta(days=2, hours=23) < old.valid_until - datetime.now(UTC) <= timedelta(days=3)
    assert new.valid_until is None
    assert cli("keys", "list", "--json").data["keys"][0]["state"] == "rotating"
    at_once = cli("keys", "rotate", first["id"], "--overlap-days", "0")
    assert "no longer valid" in at_once.err
    assert len(stored(folder)[0].secrets) == 1
    assert cli("keys", "rotate", first["id"], "--overlap-days", "8").code == 2


def test_a_revoked_key_is_listed_only_when_asked(cli: Cli, daemon: SqliteJournal, folder: Path) -> None:
    key = made(cli, "hooks/alerts", "--in")
    assert cli("keys", "revoke", key["id"]).out == f"revoked: {key['id']}\n"
    assert cli("keys", "list").err == "no keys\n"
    (listed,) = cli("keys", "list", "--all", "--json").data["keys"]
    assert (listed["id"], listed["state"]) == (key["id"], "revoked")
    for command in ("revoke", "rotate"):
        again = cli("keys", command, key["id"])
        assert again.code == 1
        assert "keys list" in again.err


def test_a_key_for_some_days_is_over_then(cli: Cli, daemon: SqliteJournal, folder: Path) -> None:
    made(cli, "hooks/alerts", "--in", "--days", "30")
    (listed,) = cli("keys", "list", "--json").data["keys"]
    assert listed["state"].startswith("until ")
    (secret,) = stored(folder)[0].secrets
    assert secret.valid_until is not None
    assert timedelta(days=29, hours=23) < secret.valid_until - datetime.now(UTC) <= timedelta(days=30)


def test_an_invitation_is_for_the_ends_of_a_route(cli: Cli, daemon: SqliteJournal, folder: Path) -> None:
    done = cli("keys", "invite", "both", "hooks/alerts", "hooks/reader", "--json")
    assert (done.code, done.data["chats"]) == (0, ["hooks/site", "hooks/alerts", "hooks/reader"])
    base, _, link = done.data["url"].rpartition("/")
    assert base == "https://example.com/bridge/keys"
    assert looks_right(link, LINK_PREFIX)

    async def kept() -> Invite | None:
        journal = SqliteJournal(folder / "messenger-bridge.journal", exclusive=False)
        await journal.open()
        try:
            return await journal.invite(hash_of(link))
        finally:
            await journal.close()

    invite = asyncio.run(kept())
    assert invite is not None
    assert [str(chat) for chat in invite.chats] == done.data["chats"]
    assert timedelta(hours=23) < invite.valid_until - datetime.now(UTC) <= timedelta(hours=24)


def test_an_invitation_for_a_route_is_for_the_ends_from_which_it_relays(cli: Cli, daemon: SqliteJournal, folder: Path) -> None:
    """What is posted to another one would go nowhere."""
    both = CONFIG.replace("from: hooks/alerts, to: tg/-1001234567890", "from: hooks/alerts, to: hooks/reader")
    (folder / "bridge.yaml").write_text(both + PUBLIC)
    assert cli("keys", "invite", "alerts", "--json").data["chats"] == ["hooks/alerts"]
    assert "a key can post to no end of reading" in cli("keys", "invite", "reading").err


def test_an_invitation_that_nobody_could_use_is_not_made(cli: Cli, daemon: SqliteJournal, folder: Path) -> None:
    assert "neither ACCOUNT/END nor a route" in cli("keys", "invite", "tg/-1001234567890").err
    (folder / "bridge.yaml").write_text(CONFIG.replace("fetch: true", "url: 'https://r.example'").replace(", form: {}", ""))
    assert "set web.public in bridge.yaml" in cli("keys", "invite", "alerts").err
