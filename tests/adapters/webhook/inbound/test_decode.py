"""What people see of each sender's payload, and what names it. Nothing of it is shown that was not named."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.registry import load_platform
from adapters.webhook.config import EndOptions
from adapters.webhook.inbound.body import Body, Kind
from adapters.webhook.inbound.decode import Undecodable, decode
from adapters.webhook.inbound.received import Nothing, Received, Said
from adapters.webhook.inbound.refusal import Refusal
from bridge.model.events import Content
from bridge.model.rich_text import Paragraph, Text, text_of
from tests.adapters.webhook.inbound import senders
from tests.adapters.webhook.inbound.senders import SECRET


def decode_post(platform: str, payload: Any) -> Content | None:
    return load_platform(platform).decode_post(payload)


def read(payload: Any, headers: dict[str, str] | None = None, **options: Any) -> Said | Nothing:
    received = Received(body=Body(kind=Kind.JSON, data=payload), headers=headers or {})
    return decode(received, "alerts", EndOptions.model_validate(options), decode_post)


def said(payload: Any, headers: dict[str, str] | None = None, **options: Any) -> Said:
    found = read(payload, headers, **options)
    assert isinstance(found, Said), found
    assert SECRET not in json.dumps(str(found))
    return found


def words(payload: Any, headers: dict[str, str] | None = None, **options: Any) -> str:
    return text_of(said(payload, headers, **options).content.text)


def test_alertmanagers_group_is_one_incident() -> None:
    fires = said(senders.alertmanager())
    assert text_of(fires.content.text) == "🔥 [FIRING:1] DiskFull\n🔥 critical db1: disk of db1 is full"
    assert (fires.id, fires.over, fires.author) == ('{}:{alertname="DiskFull"}', False, "Alertmanager")
    title = fires.content.text.blocks[0]
    assert isinstance(title, Paragraph)
    assert isinstance(title.inlines[0], Text)
    assert title.inlines[0].link == "http://alerts:9093"
    ends = said(senders.alertmanager("resolved"))
    assert text_of(ends.content.text) == "✅ [RESOLVED] DiskFull\n✅ critical db1: disk of db1 is full"
    assert (ends.id, ends.over) == (fires.id, True)


def test_a_group_may_fire_while_a_member_is_resolved() -> None:
    mixed = senders.alertmanager("firing", ("db1", "resolved"), ("db2", "firing"))
    assert words(mixed).splitlines() == [
        "🔥 [FIRING:1] DiskFull",
        "✅ critical db1: disk of db1 is full",
        "🔥 critical db2: disk of db2 is full",
    ]


def test_a_group_without_bounds_is_cut() -> None:
    many = senders.alertmanager("firing", *((f"db{n}", "firing") for n in range(500)), truncatedAlerts=7)
    assert words(many).splitlines()[-1] == "and 487 more"
    assert len(words(many).splitlines()) == 22


def test_grafana_of_both_kinds() -> None:
    found = said(senders.GRAFANA)
    assert text_of(found.content.text).splitlines() == [
        "🔥 [FIRING:1, RESOLVED:1] High memory",
        "🔥 High memory web1: memory is nearly used up B=92.5",
        "✅ High memory web2",
    ]
    legacy = said(senders.GRAFANA_LEGACY)
    assert text_of(legacy.content.text).splitlines() == [
        "🔥 [Alerting] CPU",
        "Someone is testing the alert notification",
        "High value: 100",
        "Picture: https://grafana.example.com/image.png",
    ]
    assert legacy.id == "rule 1 7"
    assert said({**senders.GRAFANA_LEGACY, "state": "ok"}).over


@pytest.mark.parametrize(
    ("case", "shown"),
    [
        ("ping", "octo/web is connected\nKeep it logically awesome."),
        ("push", "pushed 2 commits (forced) to octo/web main\na1b2c3d Fix *the* _thing_ (Anna)\nb1b2c3d Second"),
        ("issue", "opened issue #7 Broken <login> & *more* in octo/web\nIt fails:\nopen /login\nsee the log\n500 <oops>"),
        ("pull request", "opened pull request #5 Add <b> in octo/web"),
        ("merged", "merged pull request #5 Add it in octo/web"),
        ("comment", "commented on #7 Broken in octo/web\nbold and code"),
        ("release", "released v1.2 of octo/web"),
        ("run", "❌ CI: failure in octo/web main\nFix"),
        ("unknown", "fork in octo/web"),
    ],
)
def test_github(case: str, shown: str) -> None:
    event, payload = senders.GITHUB[case]
    found = said(payload, {"x-github-event": event})
    assert text_of(found.content.text) == shown
    assert found.author == ("GitHub" if case == "ping" else "octocat")
    assert found.id == {"comment": "comment 99", "run": "workflow_run 3"}.get(case, "")


@pytest.mark.parametrize("case", ["check", "branch gone", "label"])
def test_what_nobody_reads_in_a_chat_is_ignored(case: str) -> None:
    event, payload = senders.GITHUB[case]
    assert isinstance(read(payload, {"x-github-event": event}), Nothing)


@pytest.mark.parametrize(
    ("case", "shown", "author"),
    [
        ("pipeline", "❌ pipeline failed in group/web master\nTest pipeline\n❌ test: unit", "Administrator"),
        ("merge request", "opened merge request !1 MS-Viewport in group/web\nsome words", "Anna"),
        ("note", "commented on !1 Tempora in group/web\nThis MR needs work.", "Anna"),
        ("push", "pushed 1 commit to group/web main\nb6568db1 Update Catalan", "John Smith"),
    ],
)
def test_gitlab(case: str, shown: str, author: str) -> None:
    found = said(senders.GITLAB[case], {"x-gitlab-event": "X Hook"})
    assert (text_of(found.content.text), found.author) == (shown, author)


@pytest.mark.parametrize(
    ("case", "shown"),
    [
        ("issue", "🐞 created WEB-1: ReferenceError: blooopy is not defined\n?(runner)\nProject: front-end\nLevel: error"),
        (
            "alert",
            "🐞 ReferenceError: heck is not defined\n?(runner)\nRule: Very Important Alert Rule!\nLevel: error\nEnvironment: prod",
        ),
        (
            "legacy",
            "🐞 Test Error: something went wrong\nmain in main\nProject: git-tool\nLevel: error\nRule: Send a notification",
        ),
    ],
)
def test_sentry_of_both_kinds(case: str, shown: str) -> None:
    found = said(senders.SENTRY[case])
    assert (text_of(found.content.text), found.author) == (shown, "Sentry")


@pytest.mark.parametrize(
    ("case", "shown", "author"),
    [
        ("created", "created WEB-42 Broken login\nStatus: To Do\nPriority: High", "Anna Petrova"),
        ("updated", "updated WEB-42 Broken login\nstatus: To Do → Done\nassignee: - → Anna", "Jira"),
        ("comment", "commented on WEB-42 Broken login\nI look at it", "Ben"),
    ],
)
def test_jira(case: str, shown: str, author: str) -> None:
    found = said(senders.JIRA[case])
    assert (text_of(found.content.text), found.author) == (shown, author)
    title = found.content.text.blocks[0]
    assert isinstance(title, Paragraph)
    assert isinstance(title.inlines[0], Text)
    assert title.inlines[0].link == "https://acme.atlassian.net/browse/WEB-42"


def test_uptime_kuma() -> None:
    down, up, test = senders.kuma(0, "Timeout"), senders.kuma(1, "200 OK"), senders.kuma(None, "Uptime Kuma Testing")
    assert words(down) == "🔴 API is down\nTimeout"
    assert words(up) == "✅ API is up\n200 OK"
    assert (said(down).id, said(down).over, said(up).over) == ("monitor 7", False, True)
    assert (words(test), said(test).id) == ("Uptime Kuma Testing", "")


def test_healthchecks() -> None:
    found = said(senders.HEALTHCHECKS)
    assert text_of(found.content.text) == (
        "🔴 backup is down\nthe nightly one\nTags: prod db\nLast ping: 2026-11-26T05:07:23+00:00"
    )
    assert found.id == "check 6d1f0a2e-0000-4000-8000-000000000001"
    assert said({**senders.HEALTHCHECKS, "status": "up"}).over


def test_an_own_template_shows_anything() -> None:
    entries = {
        "id": "{{ payload.sensor }}",
        "over": "{{ payload.value < 30 }}",
        "author": "Sensor {{ payload.sensor }}",
        "title": "{{ payload.value }} °C",
        "text": "**{{ payload.room | upper }}**",
        "format": "markdown",
        "fields": {"Limit": "{{ payload.limit }}", "Nothing": "{{ payload.nothing }}"},
        "url": "https://example.com/{{ payload.sensor }}",
    }
    found = said({"sensor": "t1", "value": 31, "room": "attic", "limit": 30}, template=entries)
    assert text_of(found.content.text) == "31 °C\nATTIC\nLimit: 30"
    assert (found.id, found.over, found.author) == ("t1", False, "Sensor t1")
    assert said({"sensor": "t1", "value": 20, "room": ""}, template=entries).over


def test_a_template_that_fails_is_no_success() -> None:
    for text in ("{{ payload.a + 1 }}", "{% for x in payload.many %}{% for y in payload.many %}.{% endfor %}{% endfor %}", " "):
        with pytest.raises(Undecodable):
            read({"a": "text", "many": list(range(1000))}, template={"title": "{{ payload.none }}", "text": text})
    with pytest.raises(Undecodable):
        read({"a": 1}, template={"when": "{{ payload.b }}", "text": "x"})


def test_a_part_that_fails_costs_itself_and_is_told() -> None:
    found = said({"a": "text"}, template={"title": "works {{ payload.a }}", "text": "{{ payload.a + 1 }}"})
    assert text_of(found.content.text) == "works text"
    assert found.failed.startswith("text: ")
    with pytest.raises(Undecodable):
        read({"a": "text"}, template={"title": "works", "id": "{{ payload.a + 1 }}"})


def test_a_named_template_reads_nothing_else() -> None:
    assert words({"text": "*a* and **b**"}, template="mattermost") == "a and b"
    assert words({"text": "*a* and **b**"}, template="slack") == "a and **b**"
    assert words(senders.alertmanager(), template="alertmanager").startswith("🔥")
    with pytest.raises(Undecodable):
        read({"text": "x"}, template="alertmanager")
    with pytest.raises(Undecodable):
        read({"value": 1}, template="discord")


ALL: list[tuple[Any, dict[str, str]]] = [
    *((payload, {"x-github-event": event}) for event, payload in senders.GITHUB.values()),
    *((payload, {"x-gitlab-event": "X"}) for payload in senders.GITLAB.values()),
    *((payload, {}) for payload in (*senders.SENTRY.values(), *senders.JIRA.values())),
    *((payload, {}) for payload in (senders.alertmanager(), senders.GRAFANA, senders.GRAFANA_LEGACY, senders.HEALTHCHECKS)),
    (senders.kuma(0, "x"), {}),
]


def broken(value: Any, data: st.DataObject) -> Any:
    """The payload with one value somewhere replaced by another of any type."""
    value = copy.deepcopy(value)
    at = value
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
            at[key] = data.draw(st.sampled_from([None, "", "words", 0, -1.5, True, [], ["x", None], {}, {"a": 1}, "x" * 10_000]))
            return value
        at = at[key]


@given(st.sampled_from(range(len(ALL))), st.data())
def test_an_odd_value_is_never_a_bug(number: int, data: st.DataObject) -> None:
    payload, headers = ALL[number]
    try:
        found: Any = read(broken(payload, data), headers)
    except Refusal as refusal:
        found = refusal.why
    assert SECRET not in str(found)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
_KEYS = [
    "text",
    "title",
    "content",
    "embeds",
    "attachments",
    "blocks",
    "props",
    "fields",
    "alerts",
    "version",
    "priority",
    "tags",
    "status",
]


@given(st.dictionaries(st.sampled_from(_KEYS), _JSON))
def test_no_json_is_a_bug(payload: dict[str, Any]) -> None:
    try:
        found: Any = read(payload)
    except Refusal as refusal:
        found = refusal
    assert isinstance(found, Said | Nothing | Refusal)
