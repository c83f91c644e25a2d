"""The vocabulary of outcomes is closed: nothing else is written as a rule or a loss; what older versions wrote is still read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.journal.contract import Delivered, PlannedDelivery, Skipped
from bridge.model.adapter import Receipt
from bridge.model.outcomes import Arrival, Loss, LossNote, LossOf, NamedSkip, Outcome, Skip, SkipRule, read_skip, rule_of
from bridge.policy.routing import Planned
from bridge.render.degrade import Losses

ROOT = Path(__file__).parents[3]
SOURCES = sorted(path for folder in ("bridge", "adapters") for path in (ROOT / folder).rglob("*.py"))
WORDED = {"rule", "skip_rule", "losses"}
"""Arguments and attributes that hold words of the vocabulary."""
SKIPPERS = {"skipped", "_skip"}


def test_labels_and_values_are_short_and_unlike() -> None:
    for words in (Arrival, Outcome, Skip, Loss):
        labels = [word.label for word in words]
        assert len({*labels}) == len({word.value for word in words}) == len(list(words))
        for word in words:
            assert re.fullmatch(r"[a-z_]{2,30}", word.label), word
            assert len(word.value) <= 80, word
            assert "; " not in word.value, "losses are stored with that between them"


@pytest.mark.parametrize("skip", Skip)
def test_what_is_stored_is_read_again(skip: Skip) -> None:
    assert read_skip(str(skip)) is skip
    assert rule_of(skip) is skip


def test_a_named_rule_is_its_text_and_known_by_its_word() -> None:
    rule = NamedSkip(Skip.FILTER, "filter 2: drop text ^DEBUG")
    assert rule == "filter 2: drop text ^DEBUG"
    assert rule_of(rule) is Skip.FILTER
    assert read_skip(str(rule)) is Skip.FILTER
    loss = LossOf(Loss.FILE_AS_LINE, "video shown as a line: too large for Telegram")
    assert (loss, loss.loss) == ("video shown as a line: too large for Telegram", Loss.FILE_AS_LINE)


def test_text_of_another_version_is_no_rule() -> None:
    assert read_skip("a rule that was dropped later") is None
    assert read_skip("") is None


def test_only_words_can_be_written() -> None:
    """The type check holds every other line of the sources to these."""
    assert Skipped.__annotations__["rule"] == "SkipRule"
    assert PlannedDelivery.__annotations__["skip_rule"] == Planned.__annotations__["skip_rule"] == "SkipRule | None"
    assert Delivered.__annotations__["losses"] == Receipt.__annotations__["losses"] == "tuple[LossNote, ...]"
    assert SkipRule == Skip | NamedSkip
    assert LossNote == Loss | LossOf
    assert Losses == dict[LossNote, None]


def _texts(node: ast.AST) -> Iterator[ast.AST]:
    """Text literals within, but for those that a word of the vocabulary goes with."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("NamedSkip", "LossOf"):
        return
    if isinstance(node, ast.Subscript):
        yield from _texts(node.value)  # what it is looked up by is no text that is written
        return
    if (isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value) or isinstance(node, ast.JoinedStr):
        yield node
    for inner in ast.iter_child_nodes(node):
        yield from _texts(inner)


def _written(tree: ast.AST) -> Iterator[ast.AST]:
    """All expressions that become a rule or a loss."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg=str(name), value=value) if name in WORDED:
                yield value
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[_, *rest]) if name in SKIPPERS:
                yield from rest
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr="append" | "extend")) if (
                name == "losses"
            ):
                yield from node.args
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=key)]) if name in (
                "losses",
                "_losses",
            ):
                yield key
            case ast.AugAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), value=value) if name in WORDED:
                yield value
            case _:
                pass


@pytest.mark.slow
def test_no_text_of_its_own_is_written_as_a_rule_or_a_loss() -> None:
    seen = 0
    for path in SOURCES:
        for written in _written(ast.parse(path.read_text(encoding="utf-8"))):
            seen += 1
            found = [ast.unparse(text) for text in _texts(written)]
            assert not found, f"{path.relative_to(ROOT)}:{getattr(written, 'lineno', 0)}: {found}"
    assert seen > 40
