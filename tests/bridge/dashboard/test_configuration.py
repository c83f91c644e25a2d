"""bridge.yaml without its secrets, its faults, what a reload would change, and the reload of just that."""

from __future__ import annotations

import re

from bridge.config.difference import Difference
from bridge.model.errors import ConfigFault
from bridge.reloading import Reloaded
from tests.support.dashboard import ANNA, WALL, Visitor

CHANGES = Reloaded(difference=Difference(routes_added=("second",), needs_restart=("journal.path",)))


def seen_of(html: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', html)
    assert found is not None
    return found[1]


async def test_the_file_is_shown_without_secrets_with_what_a_reload_would_change(anna: Visitor) -> None:
    anna.board.reloads.found = CHANGES
    shown = await anna.get("config")
    assert shown.status == 200
    for words in ("The file is right", "+ route second", "! journal.path: in force after a restart", "between: [tg/-1001234567890"):
        assert words in shown.words, words
    for secret in ("AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "a-teamspirit-key", ANNA, WALL):
        assert secret not in shown.html
    assert anna.board.reloads.reloads == 0


async def test_a_reload_does_what_was_seen_and_says_what_became_of_it(anna: Visitor) -> None:
    reloads = anna.board.reloads
    reloads.found = CHANGES
    shown = await anna.get("config")
    form = {"token": shown.token, "seen": seen_of(shown.html)}
    reloads.found = Reloaded(difference=Difference(routes_removed=("engineering",)))
    other = await anna.post("reload", form)
    assert "The file has changed meanwhile" in other.words
    assert "- route engineering" in other.words
    assert reloads.reloads == 0, "nobody has agreed to that"
    done = await anna.post("reload", {"token": other.token, "seen": seen_of(other.html)})
    assert (done.status, reloads.reloads) == (200, 1)
    assert "What was to change - route engineering" in done.words or "What changed - route engineering" in done.words
    (noted,) = await anna.board.noted()
    assert (noted.actor, noted.action, noted.result) == ("dashboard anna", "reload", "- route engineering")


async def test_faults_are_said_and_keep_the_button_away(anna: Visitor) -> None:
    fault = ConfigFault("is <missing>", path="bridge.yaml", line=3, key="accounts.tg.token")
    anna.board.reloads.found = Reloaded(config_faults=(fault,), faults=("xoxb-1234567890-abcdefgh is refused",))
    shown = await anna.get("config")
    assert "2 faults" in shown.words
    assert "accounts.tg.token: is <missing>" in shown.words
    assert "xoxb-1234567890-abcdefgh" not in shown.html
    assert 'action="reload"' not in shown.html
    anna.board.reloads.found = CHANGES
    again = await anna.get("config?again")
    undone = Reloaded(faults=("tg: refused",), rolled_back=True, difference=CHANGES.difference)

    async def refused(*, keep: bool = False) -> Reloaded:
        return undone

    anna.board.reloads.reload = refused  # type: ignore[method-assign]
    failed = await anna.post("reload", {"token": again.token, "seen": seen_of(again.html)})
    assert failed.status == 409
    assert "Not reloaded" in failed.words
    assert "tg: refused" in failed.words
    assert "undone" in failed.words
    (noted,) = await anna.board.noted()
    assert "tg: refused" in noted.result


async def test_who_may_look_sees_it_and_reloads_nothing(visitor: Visitor) -> None:
    await visitor.sign_in("wall", WALL)
    shown = await visitor.get("config")
    assert "engineering" in shown.words
    assert 'action="reload"' not in shown.html
    assert (await visitor.post("reload", {"token": shown.token, "seen": "x"})).status == 403
    assert visitor.board.reloads.reloads == 0


async def test_who_is_not_signed_in_does_not_see_it(make: object) -> None:
    board = await make(dashboard={})  # type: ignore[operator]
    async with board.visitor() as visitor:
        shown = await visitor.get("config")
        assert (shown.status, "engineering" in shown.words) == (403, False)
