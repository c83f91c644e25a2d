"""Each change is told once; what changes again soon is summed; nothing makes a flood."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.ops.happenings import MINOR_OTHERS, MOST_SUBJECTS, OTHERS, Happened, Happenings
from bridge.ops.telling import MOST_LINES, MOST_MESSAGES, Other, State, Telling, Trouble, message

QUIET_S = 600.0
REVOKED = Trouble("the token was revoked", "make a new one")
AWAY = Trouble("not connected for 17 s")


class Played:
    """What is said, step by step, by a clock that the test sets."""

    def __init__(self, told: Mapping[str, Trouble] | None = None) -> None:
        self.happened = Happenings()
        self.telling = Telling(told or {}, self.happened, now_s=0.0)

    def at(self, now_s: float, **states: State) -> list[str]:
        self.telling.see(states, now_s)
        lines = self.telling.due(now_s, QUIET_S)
        if lines:
            self.telling.were_told(lines, now_s)
        return list(lines.values())


def test_a_change_is_told_once_and_its_end_too() -> None:
    played = Played()
    assert played.at(0, tg=Other.WELL) == []
    assert played.at(5, tg=REVOKED) == ["⚠️ tg: the token was revoked - make a new one"]
    assert played.at(10, tg=REVOKED) == []
    assert played.at(9999, tg=REVOKED) == []
    assert played.at(10_000, tg=Other.WELL) == ["✅ tg is well again"]
    assert played.at(20_000, tg=Other.WELL) == []


def test_numbers_that_grow_are_no_change_and_other_words_are() -> None:
    played = Played()
    assert played.at(0, tg=AWAY)
    assert played.at(1000, tg=Trouble("not connected for 1017 s")) == []
    assert played.at(2000, tg=REVOKED) == ["⚠️ tg: the token was revoked - make a new one"]


def test_the_same_refusal_in_other_words_is_no_change_and_a_graver_one_is() -> None:
    played = Played()
    assert played.at(0, disk=Trouble("200 MB left", "free space"))
    assert played.at(1000, disk=Trouble("a bit more than nothing left", "free space")) == []
    assert played.at(2000, disk=Trouble("5 MB left", "free space", is_grave=True)) == ["⚠️ disk: 5 MB left - free space"]


def test_what_flaps_is_summed() -> None:
    played = Played()
    assert played.at(0, tg=REVOKED)
    for second in range(10, 500, 10):
        assert played.at(second, tg=Other.WELL if second % 20 else REVOKED) == []
    assert played.at(599, tg=Other.WELL) == []
    assert played.at(600, tg=Other.WELL) == ["✅ tg is well again (changed 49 times)"]


def test_what_came_and_went_within_the_quiet_time_and_is_as_it_was_told_is_told_as_well() -> None:
    played = Played()
    assert played.at(0, tg=REVOKED)
    played.at(10, tg=Other.WELL)
    played.at(20, tg=REVOKED)
    assert played.at(600, tg=REVOKED) == ["⚠️ tg: the token was revoked - make a new one"]
    assert played.at(1300, tg=REVOKED) == []


def test_nothing_is_said_of_what_is_undecided_or_gone() -> None:
    played = Played({"tg": REVOKED, "team": REVOKED})
    assert played.at(5, tg=Other.UNDECIDED, team=Other.UNDECIDED) == [], "after a restart nothing is known yet"
    assert played.at(10, tg=REVOKED, team=Other.UNDECIDED) == [], "it was told before the restart"
    assert played.at(15, tg=REVOKED) == [], "an account that was removed from bridge.yaml"
    assert played.telling.told == {"tg": REVOKED}
    assert played.at(20, tg=Other.WELL) == ["✅ tg is well again"]
    assert played.telling.told == {}


def test_happenings_are_counted() -> None:
    played = Played()

    def dead(number: int) -> None:
        played.happened.add(Happened("given up into tg/1", f"chat not found (dead letter {number})", "dead list"))

    dead(1)
    assert played.at(5) == ["⚠️ given up into tg/1: chat not found (dead letter 1) - dead list"]
    for number in range(2, 1002):
        dead(number)
        assert played.at(6) == []
    assert played.at(605) == ["⚠️ given up into tg/1: 1000 times, at last: chat not found (dead letter 1001) - dead list"]
    assert played.at(9999) == []


def test_there_are_few_messages_and_each_is_short() -> None:
    played = Played()
    said = [played.at(second, **{f"tg{number}": REVOKED for number in range(second + 1)}) for second in range(100)]
    assert sum(map(bool, said)) == MOST_MESSAGES
    rest = played.at(700, **{f"tg{number}": REVOKED for number in range(100)})
    assert len(rest) == 100 - MOST_MESSAGES
    text = message({str(number): line for number, line in enumerate(rest)})
    assert len(text.splitlines()) == MOST_LINES + 1
    assert text.splitlines()[-1].startswith(f"and {len(rest) - MOST_LINES} more")


def test_no_number_of_subjects_makes_it_grow() -> None:
    played = Played()
    for number in range(3 * MOST_SUBJECTS):
        played.happened.add(Happened(f"gap in tg/{number}", "missed"))
    played.telling.see({f"chat tg/{number}": REVOKED for number in range(3 * MOST_SUBJECTS)}, 0.0)
    assert len(played.telling.due(0.0, QUIET_S)) == 2 * MOST_SUBJECTS + 1


def test_what_happens_to_more_subjects_than_are_counted_is_told_of_none_of_them() -> None:
    happened = Happenings()
    telling = Telling({}, happened, now_s=0.0)
    for number in range(MOST_SUBJECTS + 7):
        happened.add(Happened(f"gap in tg/{number}", "missed", "look there"))
    lines = telling.due(0.0, QUIET_S)
    assert lines["gap in tg/0"] == "⚠️ gap in tg/0: missed - look there"
    assert lines[OTHERS] == f"⚠️ others: 7 times, at last: gap in tg/{MOST_SUBJECTS + 6}: missed - look there"
    telling.were_told(lines, 0.0)
    happened.add(Happened(f"gap in tg/{MOST_SUBJECTS}", "missed once more"))
    assert telling.due(QUIET_S, QUIET_S) == {OTHERS: f"⚠️ others: gap in tg/{MOST_SUBJECTS}: missed once more"}


def test_what_a_platform_says_is_one_short_line() -> None:
    (line,) = Played().at(0, tg=Trouble("no\n\u202ereason " * 500))
    assert "\n" not in line
    assert "\u202e" not in line
    assert len(line) <= 500


def test_minor_lines_leave_places_for_the_others() -> None:
    played = Played()
    told = []
    for number in range(5):
        played.happened.add(Happened(f"left out {number}", "a filter", is_minor=True))
        told.append(played.at(number))
    assert [len(lines) for lines in told] == [1, 1, 0, 0, 0]
    lines = played.at(10, tg=REVOKED)
    assert lines[0] == "⚠️ tg: the token was revoked - make a new one"
    assert lines[1:] == [f"⚠️ left out {number}: a filter" for number in (2, 3, 4)]


def test_no_flood_of_what_is_minor_hides_what_is_grave() -> None:
    played = Played()
    played.happened.add(Happened("given up into tg/1", "chat not found", "dead list"))
    for number in range(3 * MOST_SUBJECTS):
        played.happened.add(Happened(f"left out {number}", "a filter", is_minor=True))
    played.happened.add(Happened("gap in tg/2", "missed", "look there"))
    lines = played.telling.due(0.0, QUIET_S)
    assert list(lines)[:2] == ["given up into tg/1", "gap in tg/2"]
    assert lines[MINOR_OTHERS].startswith(f"⚠️ {MINOR_OTHERS}: {2 * MOST_SUBJECTS} times, at last: left out {3 * MOST_SUBJECTS - 1}")
    assert len(lines) == MOST_SUBJECTS + 3
