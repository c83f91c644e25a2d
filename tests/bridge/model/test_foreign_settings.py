"""Settings of another bridge's account, as they are read."""

from __future__ import annotations

from bridge.model.foreign_settings import ForeignSection, Note


def section() -> ForeignSection:
    values = {"token": "abc", "flag": "True", "off": "no", "count": "12", "odd": "1e3", "pairs": [["a", "b"], ["c"]], "left": 1}
    return ForeignSection("telegram.main", values, {"left": "Left", "odd": "Odd"}, {"nick": "x", "token": "default"})


def test_values_by_kind() -> None:
    one = section()
    assert one.flag("Flag")
    assert not one.flag("off")
    assert not one.flag("missing")
    assert one.number("Count") == 12
    assert one.words("nick") == ["x"], "a default"
    assert one.pairs("pairs") == [("a", "b")]


def test_wrong_values_are_told() -> None:
    one = section()
    assert one.number("Odd") is None
    assert one.text("pairs") == ""
    assert [note.place for note in one.notes] == ["telegram.main.Odd", "telegram.main.pairs"]


def test_a_secret_is_a_variable() -> None:
    one = section()
    assert one.secret("Token") == "${MATTERBRIDGE_TELEGRAM_MAIN_TOKEN}"
    assert one.secrets == {"MATTERBRIDGE_TELEGRAM_MAIN_TOKEN": "abc"}
    assert one.secret("missing") == ""


def test_what_nobody_asked_for_is_left() -> None:
    one = section()
    for key in ("token", "flag", "off", "count", "odd", "pairs"):
        one.given(key)
    assert list(one.unused()) == ["Left"]


def test_a_note_reads_as_a_line() -> None:
    assert str(Note("a.b", "is wrong", "do this")) == "a.b: is wrong - do this"
    assert str(Note("a.b", "is wrong")) == "a.b: is wrong"
