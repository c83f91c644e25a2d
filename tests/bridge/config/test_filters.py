"""`filter` and `rewrite` of a route and of an end."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model.refs import AccountName
from bridge.policy.filters import Place


def route_with(lines: str) -> str:
    return f"routes:\n  - name: a\n    between: [polly/#x, owl/y]\n{lines}"


def test_filters(zoo: Any) -> None:
    config = zoo.good(
        "routes:\n  - name: a\n    between: [polly/#x, owl/y]\n    filter:\n"
        "      - drop: {text: '^DEBUG', bot: yes}\n      - keep: {author: anna, files: no}\n"
    )
    drop, keep = config.routes[0].filters
    assert (drop.keep, drop.condition.text.pattern, drop.condition.bot, drop.condition.files) == (False, "^DEBUG", True, None)
    assert (keep.keep, keep.condition.author.pattern, keep.condition.files) == (True, "anna", False)
    assert (drop.name, keep.name) == (
        "filter 1: drop text ^DEBUG bot true (line 9)",
        "filter 2: keep author anna files false (line 10)",
    )


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("[{drop: {text: '('}}]", "routes[0].filter[0].drop.text: not a regular expression"),
        ("[{drop: {}}]", "routes[0].filter[0].drop: needs at least one of text, author, role, bot, files, kind"),
        ("[{drop: '^x'}]", "routes[0].filter[0].drop: must be a mapping of conditions"),
        ("[{drop: {txt: x}}]", "routes[0].filter[0].drop.txt: unknown key 'txt' - did you mean 'text'?"),
        ("[{drop: {text: [a]+}}]", "quote"),
        ("[{drop: {text: [a]}}]", "routes[0].filter[0].drop.text: must be text"),
        ("[{drop: {bot: perhaps}}]", "must be true or false"),
        ("[{drp: {text: x}}]", "unknown key 'drp' - did you mean 'drop'?"),
        ("[{drop: {text: x}, keep: {text: y}}]", "each line of a filter is one drop: or one keep:"),
        ("[drop]", "must be a mapping"),
        ("{drop: {text: x}}", "routes[0].filter: must be a list"),
    ],
)
def test_faults_of_filters(zoo: Any, lines: str, words: str) -> None:
    found = zoo.faults(f"routes:\n  - name: a\n    between: [polly/#x, owl/y]\n    filter: {lines}\n")
    assert any(words in fault for fault in found) or words == "quote", found


def test_everything_that_a_line_can_ask(zoo: Any) -> None:
    (line,) = (
        zoo.good(
            route_with(
                "    filter:\n"
                "      - drop: {role: [moderator, admin], kind: sticker, thread: on, thread_id: 45, from: polly, to: owl/y}\n"
            )
        )
        .routes[0]
        .filters
    )
    condition = line.condition
    assert (condition.role, condition.kind, condition.thread, condition.thread_id) == (
        ("moderator", "admin"),
        ("sticker",),
        True,
        "45",
    )
    assert (condition.origins, condition.targets) == ((Place(AccountName("polly")),), (Place(AccountName("owl"), "owl/y"),))
    assert line.name == "filter 1: drop role moderator,admin kind sticker thread true thread_id 45 from polly to owl/y (line 9)"


def test_an_end_with_lines_of_its_own(zoo: Any) -> None:
    config = zoo.good(
        "routes:\n  - name: a\n    rewrite: [{find: a, replace: b}]\n"
        "    between: [polly/#x, {chat: owl/y, filter: [{drop: {from: polly, bot: yes}}], rewrite: [{find: c, code: yes}]}]\n"
    )
    here, there = config.routes[0].ends
    assert (here.filters, [one.find.pattern for one in here.rewrites]) == ((), ["a"])
    assert [one.name for one in there.filters] == ["filter 1: drop bot true from polly (line 8)"]
    assert [(one.find.pattern, one.replace, one.in_code) for one in there.rewrites] == [("a", "b", False), ("c", "", True)]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("    filter: [{drop: {kind: [photo, stiker]}}]\n", "unknown kind 'stiker' - did you mean 'sticker'?"),
        ("    filter: [{drop: {to: coco}}]\n", "'coco' is not an end of this route that receives here"),
        (
            "    filter: [{drop: {from: 'polly/#y'}}]\n",
            "'polly/#y' is not an end of this route that sends here - did you mean 'polly/#x'?",
        ),
        ("    filter: [{drop: {thread: perhaps}}]\n", "must be true or false"),
        ("    rewrite: [{find: '('}]\n", "routes[0].rewrite[0].find: not a regular expression"),
        ("    rewrite: [{find: 'a*'}]\n", "this pattern finds nothing at all, everywhere"),
        ("    rewrite: [{find: a, replace: '\\1'}]\n", "routes[0].rewrite[0].replace: not a replacement"),
        ("    rewrite: [{replace: a}]\n", "find is missing"),
        ("    rewrite: {find: a}\n", "must be a list"),
    ],
)
def test_faults_of_lines(zoo: Any, lines: str, words: str) -> None:
    found = zoo.faults(route_with(lines))
    assert any(words in fault for fault in found), found
