"""Templates of sender names: which are accepted, and what they show."""

from __future__ import annotations

import pytest

from bridge.identity.names import Names
from bridge.identity.people import People, Person
from bridge.identity.sender_templates import problem
from bridge.model.events import Author
from bridge.model.refs import AccountName

TG = AccountName("tg")
ANNA = Person(name="Anna Petrova", ids={TG: "7"}, roles=("moderator",))
NAMES = Names(["admin"], People([ANNA]))


def shown(author: Author, template: str, length: int = 80) -> str:
    return NAMES.shown(author, template=template, account=TG, platform="Telegram", chat="general", length=length)


KIM = Author(user_id="1", name="Kim", username="kim_l")
ROBOT = Author(user_id="2", name="Robot", is_bot=True, roles=("Team Red",))
OTHER_ANNA = Author(user_id="3", name="Anna Petrova")


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{nmae}", "unknown placeholder {nmae}"),
        ("{name.__class__}", "unknown placeholder"),
        ("{name!r}", "{name} takes no format"),
        ("{name:>99999999}", "{name} takes no format"),
        ("{0}", "unknown placeholder"),
        ("{name", "not a template"),
        ("{platform}", "shows nobody's name"),
        (" ", "is empty"),
        ("{{ nmae }}", "unknown name nmae"),
        ("{{ platform }}", "does not show everybody's name"),
        ("{% if bot %}{{ name }}{% endif %}", "does not show everybody's name"),
        ("{{ name.__class__.__mro__ }}", "does not show everybody's name"),
        ("{% for a in name * 9000 %}{% for b in name * 9000 %}{% endfor %}{% endfor %}{{ name }}", "does too much"),
        ("{{ range(9) }}{{ name }}", "unknown name range"),
        ("{{ name | nonsense }}", "not a template"),
        ("{% if %}{{ name }}", "not a template"),
    ],
)
def test_faults(template: str, fault: str) -> None:
    found = problem(template)
    assert found is not None
    assert fault in found[0]
    with pytest.raises(ValueError, match=r"."):
        shown(KIM, template)


@pytest.mark.parametrize(
    ("template", "of_kim"),
    [
        ("{name}", "Kim"),
        ("{{{name}}}", "{Kim}"),
        ("{{ok}} {name}", "{ok} Kim"),
        ("{username} ({chat})", "kim_l (general)"),
        ("{{ name }}", "Kim"),
        ("{% if bot %}🤖 {% endif %}{{ name }}", "Kim"),
        ("{{ name | upper }} via {{ platform }}", "KIM via Telegram"),
        ("{{ username or name }}{% if 'x' in roles %}!{% endif %}", "kim_l"),
    ],
)
def test_good_ones(template: str, of_kim: str) -> None:
    assert problem(template) is None
    assert shown(KIM, template) == of_kim


def test_conditions_see_bots_people_and_roles() -> None:
    template = "{% if bot %}🤖 {% endif %}{{ name }}{% if 'moderator' in roles %} ★{% endif %}{% if known %} ✓{% endif %}"
    assert shown(ROBOT, template) == "🤖 Robot"
    assert shown(Author(user_id="7", name="whatever"), template) == "Anna Petrova ★ ✓"
    assert shown(OTHER_ANNA, "★ {name}") == "★ Anna Petrova (tg)"
    assert shown(ROBOT, "{{ name }} ({{ roles | join(', ') }})") == "Robot (Team Red)"


def test_a_template_cannot_make_somebody_look_like_another() -> None:
    assert shown(OTHER_ANNA, "{{ name }}") == "Anna Petrova (tg)"
    assert shown(Author(user_id="4", name="Xadmin"), "{{ name | replace('X', '') }}") == "admin (tg)"


def test_a_long_name_leaves_room_for_the_rest() -> None:
    text = shown(Author(user_id="5", name="x" * 200), "{{ name }} via {{ platform }}", length=40)
    assert len(text) <= 40
    assert text.endswith("via Telegram")
