"""An admin's pattern never takes long, and never loses a message by taking long."""

from __future__ import annotations

import pickle
import re

import pytest
import regex

from bridge.model.outcomes import Skip
from bridge.policy.filters import Condition, Filter
from bridge.policy.patterns import Searches, is_slow, timed
from bridge.policy.routing import Route, RoutingTable
from tests.bridge.policy.test_routing import end, said, table

FATAL = ["(a+)+$", "(a|a)*$", "(a|aa)+$", r"(\w*)*$", r"^((a+)+)+$", r"(?:(?:a*)*)*!"]
TEXT = "a" * 5000 + "?"


def slow_table(*filters: Filter) -> RoutingTable:
    return table(Route(name="r", ends=(end("tg/1"), end("team/C1")), filters=filters))


def one(keep: bool, condition: Condition) -> Filter:
    return Filter(keep=keep, condition=condition, name="filter 1")


@pytest.mark.parametrize("pattern", FATAL)
@pytest.mark.parametrize("compile_it", [re.compile, regex.compile])
def test_a_search_ends(pattern: str, compile_it: object) -> None:
    """For Python's own engine most of these are the end of the process."""
    assert callable(compile_it)
    assert Searches().search(compile_it(pattern), TEXT) in (None, regex.search(pattern, TEXT[-2:]) is not None)


def test_a_pattern_that_was_slow_has_less_time_for_a_while() -> None:
    now_s = [0.0]
    searches = Searches(lambda: now_s[0])
    fatal = re.compile("(a+)+$")
    assert searches.search(fatal, TEXT) is None
    assert searches._tired_until_s
    assert searches.search(fatal, TEXT) is None
    assert searches.search(fatal, "aaa") is True, "ordinary messages are told apart as before"
    now_s[0] = 61.0
    assert searches._tired_until_s[fatal.pattern] < now_s[0]


@pytest.mark.parametrize("keep", [True, False])
def test_a_message_is_relayed_if_nobody_can_tell(keep: bool) -> None:
    made = slow_table(one(keep, Condition(text=re.compile("(a+)+$"))))
    (plan,) = made.plan(said("tg/1", TEXT))
    assert plan.skip_rule is None
    assert made.take_slow() == [("r", "filter 1")]
    assert made.take_slow() == []
    (plan,) = made.plan(said("tg/1", "b"))
    assert plan.skip_rule == (Skip.NOT_KEPT if keep else None)


def test_what_is_known_at_once_decides_first() -> None:
    made = slow_table(one(False, Condition(text=re.compile("(a+)+$"), files=True)))
    made.plan(said("tg/1", TEXT))
    assert made.take_slow() == []


@pytest.mark.parametrize(
    "pattern", ["^DEBUG", r"(?i)\bfoo\b", r"https?://\S+", r"\d+\.\d+", r".*foo.*bar", r"[\w.+-]+@[\w-]+\.\w+"]
)
def test_patterns_as_people_write_them_are_not_called_slow(pattern: str) -> None:
    assert not is_slow(re.compile(pattern))


def test_patterns_that_are_slow() -> None:
    assert is_slow(re.compile("(a+)+$"))


@pytest.mark.parametrize("flags", [0, re.I, re.I | re.S, re.X | re.M, re.A])
def test_the_stoppable_engine_reads_a_pattern_alike(flags: int) -> None:
    pattern = re.compile(r"^a.\w b$", flags)
    made = timed(pattern)
    for text in ("a1é b", "A1a B", "a\nx b", "a1xb", "z\na1x b"):
        assert bool(made.search(text)) == bool(pattern.search(text)), text
    assert pickle.loads(pickle.dumps(made)).pattern == pattern.pattern
