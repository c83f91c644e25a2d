"""Templates as admins write them: what is absent is empty, a single expression keeps its type, a value never leaves its segment."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model.templates import TemplateFailed, TemplateFault, fill_tree, path_template, shown, template

VALUES: dict[str, Any] = {"message": {"text": "hi", "sender": {"name": "Anna"}, "files": ["a", "b"], "size": 3}, "on": True}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ message.text }}, {{ message.sender.name }}", "hi, Anna"),
        ("{{ message.nothing.further }}", ""),
        ("{{ on }} {{ message.size }}", "true 3"),
        ("{{ message.text | upper }}", "HI"),
        ("{% for f in message.files %}{{ f }};{% endfor %}", "a;b;"),
        ("{{ message.files | json }}", '["a", "b"]'),
    ],
)
def test_texts(source: str, text: str) -> None:
    assert template(source).text(VALUES) == text


def test_a_single_expression_keeps_its_type() -> None:
    assert template("{{ message.size }}").native(VALUES) == 3
    assert template("{{ message.size + 1 }}").native(VALUES) == 4
    assert template("{{ message.nothing }}").native(VALUES) is None
    assert template("{{ message.size }} ").native(VALUES) == "3 "


@pytest.mark.parametrize(("value", "path"), [("a/b?c#d", "a%2Fb%3Fc%23d"), ("..", "%2E%2E"), ("a.b", "a.b"), (None, "")])
def test_a_value_in_a_path_stays_one_segment(value: Any, path: str) -> None:
    assert path_template("/chats/{{ id }}/x").text({"id": value}) == f"/chats/{path}/x"


def test_the_variables_that_a_template_reads() -> None:
    assert template("{{ message.sender.name }} {{ on }}").names == {"message.sender.name", "on"}
    assert template("{% for f in message.files %}{{ f }}{% endfor %}").names == {"message.files"}


@pytest.mark.parametrize(("source", "line"), [("a\n{{ b", 2), ("{{ a | no_such_filter }}", 1), ("{% if %}", 1)])
def test_what_is_no_template_is_a_fault_with_its_line(source: str, line: int) -> None:
    with pytest.raises(TemplateFault) as caught:
        template(source)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "source", ["{{ 1 / 0 }}", "{{ message.text + 1 }}", "{{ message.text.__class__.__mro__ }}{{ 'x' * 10**9 }}"]
)
def test_what_a_payload_can_make_of_a_template_is_no_bug(source: str) -> None:
    with pytest.raises(TemplateFailed):
        template(source).text(VALUES)


def test_a_tree_leaves_out_what_comes_out_as_nothing() -> None:
    tree = {
        "text": "{{ message.text }}",
        "reply": {"id": "{{ message.reply_to }}"},
        "kept": None,
        "empty": {},
        "files": {"$each": "{{ message.files }}", "$item": {"name": "{{ item }}"}},
        "none": {"$each": "{{ message.nothing }}", "$item": "x"},
    }
    filled: dict[str, Any] = {"text": "hi", "kept": None, "empty": {}, "files": [{"name": "a"}, {"name": "b"}]}
    assert fill_tree(tree, VALUES) == filled


def test_one_rule_for_all_texts() -> None:
    assert [shown(value) for value in (None, True, 1.5, "a", ["é"])] == ["", "true", "1.5", "a", '["é"]']
