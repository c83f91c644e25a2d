"""A route's `tests`: those that come out as they say, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

RULES = """\
    filter:
      - drop: {text: '^DEBUG'}
      - drop: {role: guest, to: owl}
    rewrite: [{find: 'JIRA-', replace: '#'}]
"""
PEOPLE_TOO = "people: [{name: Anna, polly: 1, roles: [guest]}]\n"


def route_with(lines: str) -> str:
    return f"routes:\n  - name: a\n    between: [polly/#x, owl/y]\n{lines}"


def test_tests_that_come_out_as_they_say(zoo: Any) -> None:
    tests = """\
    tests:
      - {from: 'polly/#x', text: DEBUG x, gives: []}
      - {from: 'polly/#x', text: see JIRA-3, gives: {owl/y: 'see #3'}}
      - {from: 'polly/#x', author: Anna, text: hi, gives: []}
      - {from: owl/y, author: Anna, text: hi, gives: ['polly/#x']}
      - {from: owl/y, kind: edit, text: DEBUG, gives: ['polly/#x']}
      - {from: owl/y, files: [photo, voice], reply: yes, thread_id: 4, bot: yes, gives: ['polly/#x']}
"""
    assert zoo.good(route_with(RULES + tests) + PEOPLE_TOO).routes[0].name == "a"


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (
            "{from: 'polly/#x', text: DEBUG x, gives: [owl/y]}",
            "13:9: routes[0].tests[0]: result differs: - owl/y does not get it: filter 1: drop text ^DEBUG (line 9)",
        ),
        ("{from: 'polly/#x', text: x, gives: []}", "result differs: + owl/y gets it"),
        ("{from: 'polly/#x', text: JIRA-1, gives: {owl/y: JIRA-1}}", "- owl/y gets '#1', not 'JIRA-1'"),
        ("{text: x, gives: []}", "from is missing: which end does it come from?"),
        ("{from: 'polly/#y', gives: []}", "'polly/#y' is not an end of this route that sends - did you mean 'polly/#x'?"),
        ("{from: owl/y, gives: [owl/z]}", "'owl/z' is not an end of this route that receives"),
        ("{from: owl/y}", "gives is missing"),
        ("{from: owl/y, kind: edits, gives: []}", "did you mean 'edit'?"),
        ("{from: owl/y, txt: x, gives: []}", "unknown key 'txt' - did you mean 'text'?"),
    ],
)
def test_tests_that_do_not(zoo: Any, test: str, words: str) -> None:
    found = zoo.faults(route_with(f"{RULES}    tests:\n      - {test}\n") + PEOPLE_TOO)
    assert any(words in fault for fault in found), found
