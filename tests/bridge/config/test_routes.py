"""Routes: directions, ends and addresses, options in cascade, filters, people."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from bridge.config.relay import RELAY_KEYS
from bridge.config.routes import split_address
from bridge.policy.routing import OnUnknown, Reactions, RelayOptions


def ends(config: Any, number: int = 0) -> list[tuple[str, bool, bool]]:
    return [(str(end), end.sends, end.receives) for end in config.routes[number].ends]


def test_between_is_both_directions(zoo: Any) -> None:
    assert ends(zoo.good("routes: [{name: a, between: [polly/#x, coco/#y, owl/z]}]")) == [
        ("polly/#x", True, True),
        ("coco/#y", True, True),
        ("owl/z", True, True),
    ]


@pytest.mark.parametrize("origin", ["from: polly/#x", "from: [polly/#x]", "from: {chat: polly/#x}", "from: [{chat: polly/#x}]"])
@pytest.mark.parametrize("target", ["to: [coco/#y, owl/z]", "to: [{chat: coco/#y}, owl/z]"])
def test_from_and_to_is_one_direction(zoo: Any, origin: str, target: str) -> None:
    assert ends(zoo.good(f"routes: [{{name: a, {origin}, {target}}}]")) == [
        ("polly/#x", True, False),
        ("coco/#y", False, True),
        ("owl/z", False, True),
    ]


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ("{between: [polly/#x, owl/y]}", "5:10: routes[0]: name is missing"),
        ("{name: a}", "5:10: routes[0]: has no ends"),
        ("{name: a, from: polly/#x}", "5:10: routes[0]: to is missing: nothing receives"),
        ("{name: a, to: polly/#x}", "5:10: routes[0]: from is missing: nothing sends"),
        ("{name: a, between: [polly/#x]}", "5:29: routes[0].between: a route needs at least two ends"),
        ("{name: a, between: []}", "5:29: routes[0].between: a route needs at least two ends"),
        ("{name: a, between: polly/#x}", "5:29: routes[0].between: must be a list, not a single value"),
        ("{name: a, between: [polly/#x, owl/y], to: owl/z}", "5:48: routes[0].to: between is given as well"),
        ("{name: a, from: polly/#x, to: []}", "5:40: routes[0].to: is empty"),
        ("{name: a, from: ~, to: owl/x}", "5:26: routes[0].from: an end is account/chat, not nothing"),
        ("{name: a, between: [polly/#x, polly/#x]}", "5:40: routes[0].between[1]: polly/#x is already an end of this route"),
        ("{name: a, from: polly/#x, to: polly/#x}", "5:40: routes[0].to: polly/#x is already an end of this route"),
        ("{name: a, between: [polly/#x, {chat: polly/#x}]}", "5:40: routes[0].between[1]: polly/#x is already an end"),
        ("{name: a, between: [polly/#x, {}]}", "5:40: routes[0].between[1]: chat is missing"),
        ("{name: a, between: [polly/#x, [owl/y]]}", "5:40: routes[0].between[1]: an end is account/chat, not a list"),
        ("{name: a, between: [polly/#x, polly]}", "5:40: routes[0].between[1]: which chat of polly?"),
        ("{name: a, between: [polly/#x, polly/]}", "5:40: routes[0].between[1]: which chat of polly?"),
        ("{name: a, between: [polly/#x, general]}", "5:40: routes[0].between[1]: 'general' is not an end: it must be account/chat"),
        ("{name: a, between: [polly/#x, '#general']}", "5:40: routes[0].between[1]: unknown account '#general'"),
        ("{name: a, between: [polly/#x, polly/y]}", "5:40: routes[0].between[1]: must be #name or a number"),
        ("{name: a, between: [polly/#x, polly/#y/z]}", "5:40: routes[0].between[1]: 'z' is no thread: must be a number"),
        ("{name: a, between: [polly/#x, polly/#y/z/1]}", "5:40: routes[0].between[1]: no spaces in names"),
        ("{name: '', between: [polly/#x, owl/y]}", "5:17: routes[0].name: must be 1 to 100 printable characters"),
        ("{name: [a], between: [polly/#x, owl/y]}", "5:17: routes[0].name: must be text, not a list"),
        ("{name: a, betwen: [polly/#x, owl/y]}", "unknown key 'betwen' - did you mean 'between'?"),
        ("{name: a, pin: on, between: [polly/#x, owl/y]}", "unknown key 'pin' - did you mean 'pins'?"),
        ("3", "5:10: routes[0]: must be a mapping"),
    ],
)
def test_faults_of_one_route(zoo: Any, route: str, words: str) -> None:
    found = zoo.faults(f"routes: [{route}]")
    assert any(words in fault for fault in found), found


def test_route_names_are_unique(zoo: Any) -> None:
    assert zoo.faults("routes:\n- {name: a, between: [polly/#x, owl/y]}\n- {name: a, between: [polly/#z, owl/z]}\n") == [
        "7:10: routes[1].name: there is another route 'a' in line 6"
    ]


def test_no_routes_is_a_warning(zoo: Any) -> None:
    for text in ("", "routes:\n", "routes: []\n"):
        assert any("there are no routes" in warning for warning in zoo.warnings(text))


# -- addresses --------------------------------------------------------------------------------------------------------------


def test_the_platform_decides_what_a_thread_is(zoo: Any) -> None:
    config = zoo.good("routes: [{name: a, between: [polly/-1001234/45, polly/#x, owl/team/a/b]}]")
    places = [(end.chat.address, end.thread_id) for end in config.routes[0].ends]
    assert places == [("-1001234", "45"), ("#x", None), ("team/a/b", None)]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("#x", ("#x", None)),
        ("#x/1", ("#x", "1")),
        ("-100/45", ("-100", "45")),
    ],
)
def test_split_address(zoo: Any, address: str, expected: tuple[str, str | None]) -> None:
    assert split_address(zoo.manifests["parrot"], address) == (*expected, "")


def test_chats_that_contain_slashes_and_have_threads(zoo: Any) -> None:
    manifest = zoo.make_manifest(
        "x", zoo.manifests["owl"].options(), check_address=lambda _: None, check_thread=lambda t: None if t.isdecimal() else "no"
    )
    assert split_address(manifest, "team/general") == ("team/general", None, "")
    assert split_address(manifest, "team/general/7") == ("team/general", "7", "")


# -- options ----------------------------------------------------------------------------------------------------------------


def test_cascade_end_route_account_defaults(zoo: Any) -> None:
    loaded = zoo.load(
        """\
accounts:
  polly: {platform: parrot, token: abcde, edits: no, deletes: no, reactions: off, max_file_mb: 10}
  coco: {platform: parrot, token: bcdef}
defaults: {edits: no, pins: yes, sender: '{name} ({platform})', unknown: hold, give_up_after_h: 1, mass_mentions: [Anna]}
routes:
  - name: a
    deletes: yes
    reactions: yes
    between:
      - {chat: polly/#x, reactions: no, max_file_mb: null, mass_mentions: []}
      - {chat: coco/#y, reactions: tally}
  - name: b
    between: [polly/#b, coco/#b]
"""
    )
    assert not loaded.faults, [str(fault) for fault in loaded.faults]
    x, y = (end.options for end in loaded.config.routes[0].ends)
    common = RelayOptions(edits=False, pins=True, sender="{name} ({platform})", unknown=OnUnknown.HOLD, give_up_after_h=1.0)
    assert x == replace(common, deletes=True, reactions=Reactions.OFF, max_file_mb=None, mass_mentions=())
    assert y == replace(common, deletes=True, reactions=Reactions.TALLY, mass_mentions=("Anna",))
    b = loaded.config.routes[1].ends[0].options
    assert b == replace(common, deletes=False, reactions=Reactions.OFF, max_file_mb=10.0, mass_mentions=("Anna",))
    assert loaded.config.accounts["polly"].relay == b


def test_ends_without_own_options_share_them(zoo: Any) -> None:
    config = zoo.good("routes: [{name: a, between: [polly/#x, owl/y]}, {name: b, between: [polly/#z, owl/z]}]")
    assert config.routes[0].ends[0].options is config.routes[1].ends[0].options


def test_all_relay_options_are_in_the_file_and_have_the_same_defaults(zoo: Any) -> None:
    assert set(RelayOptions.__struct_fields__) == RELAY_KEYS
    assert zoo.good("routes: [{name: a, between: [polly/#x, owl/y]}]").routes[0].ends[0].options == RelayOptions()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("{sender: '{nam}'}", "unknown placeholder {nam} - did you mean 'name'?"),
        ("{sender: '{}'}", "unknown placeholder {}"),
        ("{sender: '{name.__class__}'}", "unknown placeholder {name.__class__}"),
        ("{sender: '{name[0]}'}", "unknown placeholder {name[0]}"),
        ("{sender: '{name!r}'}", "{name} takes no format"),
        ("{sender: '{name:>1000000000}'}", "{name} takes no format"),
        ("{sender: '{name'}", "not a template"),
        ("{sender: ''}", "is empty"),
        ("{unknown: holt}", "must be one of resend, hold (found 'holt') - did you mean 'hold'?"),
        ("{max_file_mb: -1}", "must be more than 0"),
        ("{give_up_after_h: .inf}", "defaults.give_up_after_h: must be"),
        ("{mass_mentions: Anna}", "must be a list"),
        ("{edits: 2}", "must be true or false"),
        ("{reactions: tallie}", "did you mean 'tally'?"),
        ("{map_url: 'https://maps.example.com/'}", "must have {lat} and {lon}"),
        ("{map_url: 'javascript:{lat}{lon}'}", "must be a URL"),
        ("{map_url: 'https://{lat}.example.com/{lon}'}", "the host cannot depend"),
        ("{map_url: 'https://maps.example.com/{lat}/{lon}/{zoom}'}", "no braces but"),
        ("{long_text_parts: 0}", "must be at least 1"),
        ("{sendr: x}", "unknown key 'sendr' - did you mean 'sender'?"),
        ("[edits]", "defaults: must be a mapping"),
    ],
)
def test_faults_of_options(zoo: Any, options: str, words: str) -> None:
    found = zoo.faults(f"routes: [{{name: a, between: [polly/#x, owl/y]}}]\ndefaults: {options}\n")
    assert any(words in fault for fault in found), found


@pytest.mark.parametrize("place", ["routes[0].sendr", "routes[0].between[1].sendr", "accounts.polly.sendr"])
def test_unknown_options_are_found_at_every_level(zoo: Any, place: str) -> None:
    wrong = {place: ", sendr: x"}
    text = (
        f"accounts:\n  polly: {{platform: parrot, token: abcde{wrong.get('accounts.polly.sendr', '')}}}\n"
        f"routes:\n  - {{name: a, between: [polly/#x, {{chat: polly/#y{wrong.get('routes[0].between[1].sendr', '')}}}]"
        f"{wrong.get('routes[0].sendr', '')}}}\n"
    )
    (fault,) = zoo.load(text).faults
    assert f"{place}: unknown key 'sendr' - did you mean 'sender'?" in str(fault)


# -- people -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("[{polly: 1}]", "5:10: people[0]: name is missing"),
        ("[{name: A, poly: 1}]", "5:20: people[0].poly: unknown account 'poly' - did you mean 'polly'?"),
        ("[{name: A, polly: 1}, {name: A, coco: 2}]", "'A' is already in line 5"),
        ("[{name: A, polly: 1}, {name: B, polly: 1}]", "'1' is A's id already"),
        ("[{name: A, polly: [1]}]", "people[0].polly: must be text, not a list"),
        ("[A]", "people[0]: must be a mapping"),
        ("{A: 1}", "people: must be a list"),
    ],
)
def test_faults_of_people(zoo: Any, people: str, words: str) -> None:
    found = zoo.faults(f"people: {people}\n")
    assert any(words in fault for fault in found), found


def test_a_person_without_ids_is_a_warning(zoo: Any) -> None:
    assert any("A has no id in any account" in warning for warning in zoo.warnings("people: [{name: A}]\n"))
