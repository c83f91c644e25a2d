"""Templates of the admin's: every fault is told with its line, before a payload comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.registry import load_platform
from adapters.webhook import recipe_files
from adapters.webhook.recipe_files import load, read_text, shipped, shipped_names
from bridge.config.load import load_config
from bridge.model.errors import ConfigFault

RIGHT = """
title: '{{ payload.a }}'
text: |
  {% for each in payload.many %}
  {{ loop.index }} {{ each }}
  {% endfor %}
fields: {Where: '{{ headers["x-where"] }}'}
"""


def places(faults: tuple[ConfigFault, ...]) -> list[tuple[int, str]]:
    return [(fault.line, fault.why) for fault in faults]


def test_the_shipped_ones_are_right() -> None:
    assert shipped_names() == ["alertmanager", "github", "gitlab", "grafana", "healthchecks", "jira", "sentry", "uptime-kuma"]
    assert all(recipe.when for recipe in shipped())
    for name in shipped_names():
        assert "Source:" in (recipe_files.SHIPPED / f"{name}.yaml").read_text()


def test_a_file_may_hold_one_or_several() -> None:
    assert not read_text(RIGHT, "t.yaml").faults
    several = yaml.safe_dump([{"when": "{{ payload.a }}", "title": "a"}, {"title": "b"}])
    assert [recipe.title for recipe in read_text(several, "t.yaml").recipes] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("title: x\nsubject: y\n", 2, "unknown entry"),
        ("title: x\ntitle: y\n", 2, "given twice"),
        ("title: '{{ payload.a '\n", 1, "not a template"),
        ("text: |\n  fine\n  {{ payload.a }\n", 3, "not a template"),
        ("text: |\n  {{ payload.a }}\n  {{ wrong.b }}\n", 3, "there is no 'wrong'"),
        ("title: x\nfields:\n  A: '{{ payload.a | nofilter }}'\n", 3, "nofilter"),
        ("title: x\nfields: [a]\n", 2, "mapping"),
        ("title: {{ payload.a }}\n", 1, "quote a template"),
        ("title: x\nformat: html\n", 2, "must be one of"),
        ("id: '{{ payload.a }}'\n", 1, "shows nothing"),
        ("- title: x\n- just words\n", 2, "a mapping"),
        ("title: [x\n", 2, "YAML"),
        ("", 1, "a mapping"),
        ("just words", 1, "a mapping"),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, line: int, why: str) -> None:
    loaded = read_text(text, "t.yaml")
    assert not loaded.recipes
    assert any(at == line and why in said for at, said in places(loaded.faults)), places(loaded.faults)
    assert all(fault.path == "t.yaml" for fault in loaded.faults)


def test_a_name_or_a_file(tmp_path: Path) -> None:
    assert load(Path("auto"), "t") == recipe_files.Loaded()
    assert load(Path("slack"), "t").post == "slack"
    assert load(tmp_path / "github", "t").recipes  # bridge.yaml's paths begin at its folder
    own = tmp_path / "own.yaml"
    own.write_text(RIGHT)
    assert load(own, "t").recipes
    for wrong in (tmp_path / "none", tmp_path / "none.yaml", tmp_path):
        assert load(wrong, "t").faults
    own.write_bytes(b"\xff\xfe")
    assert "UTF-8" in str(load(own, "t").faults[0])
    own.write_text("#" * 2_000_000)
    assert "megabyte" in str(load(own, "t").faults[0])


def check(folder: Path, template: Any) -> list[str]:
    """What `messenger-bridge check` says of an end with this template."""
    document = {
        "accounts": {
            "hooks": {"platform": "webhook", "ends": {"a": {"template": template}}},
            "tg": {"platform": "telegram", "token": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"},
        },
        "routes": [{"name": "r", "from": "hooks/a", "to": "tg/-1001234567890"}],
    }
    path = folder / "bridge.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return [str(fault) for fault in load_config(path, {}, load_platform).faults]


def test_check_tells_the_lines_of_both_kinds(tmp_path: Path) -> None:
    assert not check(tmp_path, {"title": "{{ payload.a }}", "fields": {"A": "{{ payload.b }}"}})
    (fault,) = check(tmp_path, {"title": "fine", "text": "{{ payload.a | nofilter }}"})
    assert "bridge.yaml:8:" in fault
    assert "accounts.hooks.ends.a.template.text" in fault
    (tmp_path / "own.yaml").write_text("title: x\ntext: '{{ wrong }}'\n")
    (fault,) = check(tmp_path, "own.yaml")
    assert "own.yaml:2:" in fault
    (fault,) = check(tmp_path, "sentri")
    assert "no such template" in fault
    assert "sentry" in fault
