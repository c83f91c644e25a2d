"""The senders that docs/webhooks.md names in its tables of alerts, repositories and issues, in both languages: each posts to the
page's URL what its own reference shows, headers and all (`tests/flows/requests`), and the copy in the group chat follows."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.corpus.case import SECRET
from tests.flows.hooked import running
from tests.flows.test_webhook_recipes import Recipes, made_key
from tests.support.patience import eventually
from tests.support.recipes import PAGES

REQUESTS = Path(__file__).parent / "requests"
SHARED = "what-both-sides-know"
ONE_MESSAGE = {"English": "one message", "Russian": "одно сообщение"}

EXPECTED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Alertmanager": {
        "alertmanager-1-firing": ("🔥 [FIRING:2] InstanceDown", "db1:9100", "db2:9100", "down for more than 5 minutes"),
        "alertmanager-2-partly": ("🔥 [FIRING:1] InstanceDown", "✅ page db1:9100", "🔥 page db2:9100"),
        "alertmanager-3-resolved": ("✅ [RESOLVED] InstanceDown",),
    },
    "Grafana": {
        "grafana-1-firing": ("🔥 [FIRING:1] High memory usage (blue us-1)", "triggered for zone us-1", "B=44.2"),
        "grafana-2-resolved": ("✅ [RESOLVED] High memory usage (blue us-1)",),
    },
    "Uptime Kuma": {
        "uptime-kuma-1-test": ("Bridge Testing",),
        "uptime-kuma-2-down": ("🔴 Shop is down", "ECONNREFUSED"),
        "uptime-kuma-3-up": ("✅ Shop is up", "200 - OK"),
    },
    "Healthchecks.io": {
        "healthchecks-1-down": ("🔴 Nightly backup is down", "Dumps the database"),
        "healthchecks-2-up": ("✅ Nightly backup is up",),
    },
    "Sentry": {
        "sentry-1-created": ("🐞 created FRONT-END-2: ReferenceError: blooopy is not defined", "front-end"),
        "sentry-2-resolved": ("✅ resolved FRONT-END-2", "Anna Petrova"),
        "sentry-3-alert": ("🐞 ReferenceError: heck is not defined", "Very Important Alert Rule!", "production"),
        "sentry-4-metric": ("🔥 Critical: Too many errors", "1000 events"),
        "sentry-5-metric-resolved": ("✅ Resolved: Too many errors", "3 events"),
    },
    "GitHub": {
        "github-1-ping": ("acme/shop is connected",),
        "github-2-issue": ("anna", "Spelling error in the README file", "with two 't's"),
        "github-3-push": ("pushed 1 commit", "acme/shop", "Fix the total of the cart"),
    },
    "GitLab": {
        "gitlab-1-issue": ("opened issue #23", "New API: create/update/delete file"),
        "gitlab-2-pipeline": ("❌ pipeline failed in acme/shop main", "unit"),
        "gitlab-3-pipeline-again": ("✅ pipeline success in acme/shop main",),
    },
    "Jira": {
        "jira-1-created": ("created SHOP-7 I feel the need for speed", "Minor"),
        "jira-2-updated": ("updated SHOP-7", "To Do → Done"),
        "jira-3-comment": ("commented on SHOP-7", "Just in time for AtlasCamp!"),
        "jira-4-comment-again": ("commented on SHOP-7", "Just in time for the camp!"),
    },
}
"""Sender of the page -> its requests in order, and what the group reads of each; nothing of one that is no news."""
EDITS = {
    "alertmanager-2-partly": "alertmanager-1-firing",
    "alertmanager-3-resolved": "alertmanager-1-firing",
    "grafana-2-resolved": "grafana-1-firing",
    "uptime-kuma-3-up": "uptime-kuma-2-down",
    "healthchecks-2-up": "healthchecks-1-down",
    "sentry-2-resolved": "sentry-1-created",
    "sentry-5-metric-resolved": "sentry-4-metric",
    "gitlab-3-pipeline-again": "gitlab-2-pipeline",
    "jira-4-comment-again": "jira-3-comment",
}
"""Requests that change the message of an earlier one."""


@dataclass(frozen=True)
class Request:
    """As the sender's reference shows it, but for what it signs with."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def read(cls, name: str) -> Request:
        lines = (REQUESTS / f"{name}.http").read_bytes().decode().split("\n")
        assert lines[0].startswith("# "), f"{name} does not say what it is"
        lines = [line for number, line in enumerate(lines) if not (line.startswith("# ") and number < 4)]
        method, _, query = lines[0].partition(" ")
        end = lines.index("")
        headers = dict(line.split(": ", 1) for line in lines[1:end])
        whole = "\n".join(lines[end + 1 :])
        body = (whole if "multipart" in headers.get("Content-Type", "") else whole.rstrip("\n")).encode()
        digest = hmac.new(SHARED.encode(), body, hashlib.sha256).hexdigest()
        signed = {key: value.replace("SIGNATURE", digest).replace("SECRET", SHARED) for key, value in headers.items()}
        return cls(method, query, signed, body)


def rows(page: str) -> list[list[str]]:
    """Of all tables of the page."""
    lines = PAGES[page].read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def senders(page: str) -> dict[str, list[str]]:
    """Where each sender is told the URL, and what comes of it, by its name."""
    found = {row[0]: row[1:] for row in rows(page) if len(row) == 3 and "URL" in row[1]}
    return {name: cells for name, cells in found.items() if "`URL`" in cells[0] or "url: URL" in cells[0]}


def signatures(page: str) -> dict[str, Any]:
    """The option of an end for the signed requests of a sender, by its name."""
    found = {row[0]: re.fullmatch(r"`signature: (\{.*\})`", row[1]) for row in rows(page) if len(row) == 2}
    return {name: yaml.safe_load(one[1].replace("${SECRET}", SHARED)) for name, one in found.items() if one is not None}


class Senders(Recipes):
    """With an end for each sender that signs."""

    def document(self) -> dict[str, Any]:
        document = super().document()
        hooks = document["accounts"]["hooks"]
        hooks["ends"] = {**hooks["ends"], **{name.lower(): {"signature": one} for name, one in signatures(self.page).items()}}
        document["routes"][0]["from"] += [f"hooks/{name.lower()}" for name in signatures(self.page)]
        return document

    async def send(self, name: str, url: str, status: int = 200) -> None:
        request = Request.read(name)
        await self.call(request.method, url + request.query, status, data=request.body, headers=request.headers)


@pytest.fixture(params=PAGES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Senders]:
    async with running(Senders(tmp_path, request.param)) as made:
        assert isinstance(made, Senders)
        yield made


@pytest.mark.parametrize("page", PAGES)
def test_the_page_names_these_senders_and_says_of_which_one_message_is_edited(page: str) -> None:
    named = senders(page)
    assert set(named) == set(EXPECTED)
    assert {name for each in EXPECTED.values() for name in each} == {path.stem for path in REQUESTS.glob("*.http")}
    edited = {sender for sender, each in EXPECTED.items() if set(each) & set(EDITS)}
    assert {sender for sender, cells in named.items() if ONE_MESSAGE[page] in cells[1]} == edited
    assert signatures(page) == signatures("English")
    assert set(signatures(page)) == {sender for sender, each in EXPECTED.items() if any(is_signed(name) for name in each)}
    (configured,) = yaml.safe_load(re.findall(r"`(webhook_configs: [^`]*)`", named["Alertmanager"][0])[0])["webhook_configs"]
    assert configured == {"url": "URL"}
    assert "`$JSON`" in named["Healthchecks.io"][0]


def is_signed(name: str) -> bool:
    text = (REQUESTS / f"{name}.http").read_text(encoding="utf-8")
    return "SIGNATURE" in text or ": SECRET" in text


async def test_each_sender_posts_what_its_reference_shows_and_the_copy_follows(world: Senders) -> None:
    url = await made_key(world)
    copies: dict[str, str] = {}
    for sender, requests in EXPECTED.items():
        for name, needles in requests.items():
            await world.send(name, url)
            if needles:
                copies[name] = await in_the_group(world, sender, name, needles, copies)
    seen = world.seen("telegram")
    assert not [one.text for one in seen if SECRET in one.text or "@example.com" in one.text]
    assert len(seen) == len(set(copies.values())), "nothing else was said"


async def in_the_group(world: Senders, sender: str, name: str, needles: tuple[str, ...], copies: Mapping[str, str]) -> str:
    """The id of the copy that has all of them: of a new one, or of the one that it changes."""

    def look() -> list[str]:
        there = [one for one in world.seen("telegram") if all(needle in one.text for needle in needles)]
        earlier = set(copies.values())
        return [one.message_id for one in there if name in EDITS or one.message_id not in earlier]

    found = await eventually(look, f"{sender}, {name}: {needles} in {world.texts('telegram')}")
    if name in EDITS:
        assert copies[EDITS[name]] in found, f"{name} is a message of its own"
        return copies[EDITS[name]]
    (one,) = found
    return one


async def test_a_sender_that_signs_needs_no_key(world: Senders) -> None:
    (path,) = set(re.findall(r"`https://bridge\.example\.com(/hooks/[^`<]+)`", PAGES[world.page].read_text(encoding="utf-8")))
    copies: dict[str, str] = {}
    for sender in signatures(world.page):
        url = world.url + path.replace("deploys", sender.lower())
        for name, needles in EXPECTED[sender].items():
            await world.send(name, url)
            if needles:
                copies[name] = await in_the_group(world, sender, name, needles, copies)
        forged = Request.read(next(iter(EXPECTED[sender])))
        wrong = {key: value.replace(SHARED, "guessed") for key, value in forged.headers.items()}
        body = forged.body + b" "
        await world.call("POST", url + forged.query, 401, data=body, headers=wrong)
    count = len(world.seen("telegram"))
    assert count == len(set(copies.values()))
