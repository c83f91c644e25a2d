"""Dialect files: the shipped ones are sound, every fault of another is told at once with its place, templates keep types."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.common.queries import find
from adapters.registry import load_platform
from adapters.teamspirit.dialect.load import SHIPPED, load_dialect, shipped_names
from bridge.model.templates import TemplateFailed, TemplateFault, fill_tree, path_template, template

MINIMAL = """\
dialect: mine
title: Mine
verified: never
base: https://im.example.com
limits: {text_length: 100}
operations:
  send:
    method: POST
    path: /send
    json: {text: "{{ message.text }}"}
inbound:
  authentication: {key: {in: header, name: X-Key}}
  fields: {chat_id: chat, message_id: id, user_id: user, text: text, sent_at: at}
  events:
    created: {when: kind == 'new'}
"""


def faults_of(text: str, tmp_path: Path) -> list[str]:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    loaded = load_dialect(str(path))
    assert (loaded.dialect is None) == bool(loaded.faults)
    assert all(fault.path == str(path) for fault in loaded.faults)
    return [f"{one.line}:{one.column} {one.key}: {one.why}" + f" - {one.hint}" * bool(one.hint) for one in loaded.faults]


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_dialects_are_sound(name: str) -> None:
    loaded = load_dialect(name)
    assert loaded.dialect is not None, loaded.faults
    assert loaded.dialect.dialect == name
    assert SHIPPED.joinpath(f"{name}.yaml").read_text("utf-8").startswith("# ")


def test_assumed_dialects_say_so() -> None:
    for name in ("teamspirit", "teamspirit-webhooks"):
        dialect = load_dialect(name).dialect
        assert dialect is not None
        assert dialect.verified == "assumed"


def test_a_minimal_dialect_is_enough(tmp_path: Path) -> None:
    assert faults_of(MINIMAL, tmp_path) == []


def test_every_fault_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    text = (
        MINIMAL.replace("title: Mine", "titel: Mine")
        .replace("text_length: 100", "text_length: many")
        .replace("message.text", "mesage.text")
        .replace("kind == 'new'", "kind == ")
        .replace("path: /send", "path: /send\n    paht: /send")
    )
    assert faults_of(text, tmp_path) == [
        "1:1 : the entry 'title' is missing",
        "2:1 titel: unknown entry - did you mean 'title'?",
        "5:23 limits.text_length: must be a whole number",
        "10:5 operations.send.paht: unknown entry - did you mean 'path'?",
        "11:18 operations.send.json.text: unknown variable 'mesage.text' - did you mean 'message.text'?",
        "16:21 inbound.events.created.when: not a JMESPath expression: "
        'Invalid jmespath expression: Incomplete expression: "kind ==" ^',
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("path: /send", "", "give either 'path' or 'url'"),
        ("path: /send", "path: /send\n    url: https://x", "give either 'path' or 'url'"),
        ("path: /send", "path: /send\n    form: {a: b}", "give only one of"),
        ("{key: {in: header, name: X-Key}}", "{}", "everybody could post"),
        ("{key: {in: header, name: X-Key}}", "{signature: {header: X, signed: [key]}}", "must cover the 'body'"),
        ("{key: {in: header, name: X-Key}}", "{signature: {header: X, signed: [timestamp, body]}}", "need each other"),
        ("chat_id: chat, ", "", "nothing says where 'chat_id' is"),
        ("  send:\n", "  sent:\n", "did you mean 'send'"),
        ("    created: {when", "    creatd: {when", "did you mean 'created'"),
        ("/send\n", "/send/{{ chat.id\n", "not a template"),
        ("dialect: mine", "dialect: mine\ndialect: yours", "given twice"),
        ("title: Mine", "title: [Mine", "YAML"),
        ("{text: \"{{ message.text }}\"}", "{text: \"{{ message.text.__class__.nothing }}\"}", "unknown variable"),
    ],
)  # fmt: skip
def test_senseless_dialects_are_refused(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in MINIMAL
    found = faults_of(MINIMAL.replace(old, new, 1), tmp_path)
    assert any(fault in one for one in found), found


def test_single_entries_are_checked_as_files_are() -> None:
    def found(overrides: dict[str, object]) -> list[str]:
        return [f"{one.key}: {one.why}" + f" - {one.hint}" * bool(one.hint) for one in load_dialect("teamspirit", overrides).faults]

    assert found({"operations": {"typin": None}}) == [
        "overrides.operations.typin: there is no such entry to take out - did you mean 'typing'?"
    ]
    (fault,) = found({"headers": {"Authorisation": None}})
    assert "did you mean 'Authorization'" in fault
    assert found({"operations": {"list_webhooks": None, "message": None}}) == []
    assert [one.partition(":")[0] for one in found({"operations": {"send": {"answer": None}}})] == [
        f"operations.{name}" for name in ("edit", "delete", "react", "unreact")
    ]
    (fault,) = found({"operations": {"send": {"answer": {"id": "lower(id)"}}}})
    assert fault.startswith("overrides.operations.send.answer.id: JMESPath has no function 'lower'")
    (fault,) = found({"limits": {"text_lenght": 5}})
    assert "did you mean 'text_length'" in fault


def test_no_such_dialect() -> None:
    (fault,) = load_dialect("matermost").faults
    assert "did you mean 'mattermost'" in str(fault)
    (fault,) = load_dialect("/nowhere/dialect.yaml").faults
    assert "cannot read" in str(fault)


def test_single_entries_can_be_overridden_and_are_checked() -> None:
    loaded = load_dialect("teamspirit", {"operations": {"send": {"path": "/rooms/{{ chat.id }}"}, "typing": None}})
    assert loaded.dialect is not None
    assert loaded.dialect.operations.send is not None
    assert loaded.dialect.operations.send.path == "/rooms/{{ chat.id }}"
    assert loaded.dialect.operations.send.idempotent_s == 86400
    assert loaded.dialect.operations.typing is None
    rekeyed = load_dialect("teamspirit", {"headers": {"Authorization": None, "X-Key": "{{ account.api_key }}"}})
    assert rekeyed.dialect is not None
    assert rekeyed.dialect.headers == {"X-Key": "{{ account.api_key }}"}
    (fault,) = load_dialect("teamspirit", {"operations": {"send": {"path": "/rooms/{{ room.id }}"}}}).faults
    assert fault.key == "overrides.operations.send.path"
    assert "room.id" in str(fault)


def test_options_that_do_not_go_with_the_dialect_are_faults() -> None:
    def keys(**options: object) -> set[str]:
        made = load_platform("teamspirit").options().model_validate(options)
        return {fault.key for fault in load_platform("teamspirit").check_options(made)}

    whole = {"server": "https://im.example.com", "api_key": "k"}
    assert keys() == {"server", "api_key"}
    assert keys(**whole) == set()
    assert keys(dialect="teamspirit-webhooks") == {"chats"}
    assert keys(dialect="teamspirit-webhooks", chats={"duty": {}}) == {"chats.duty.incoming_webhook"}
    assert keys(dialect="mattermost", **whole, receive="webhook") == {"webhook"}
    assert keys(**whole, webhook={"path": "short"}) == {"webhook.path", "webhook.key", "webhook.secret"}
    good = {"path": "a-path-hard-to-guess", "key": "k", "secret": "s"}
    assert keys(**whole, webhook=good) == set()


def test_templates_keep_types_and_leave_out_what_is_not_there() -> None:
    tree = {
        "text": "{{ message.text }}",
        "count": "{{ message.count }}",
        "flag": "{{ message.flag }}",
        "list": "{{ message.files }}",
        "gone": "{{ message.nothing }}",
        "deep": {"name": "{{ message.sender.name }}", "url": "{{ message.sender.url }}"},
        "mixed": "Hi {{ message.text }}!",
        "null": None,
        "empty": {},
        "kept": 5,
        "items": ["{{ message.nothing }}", "{{ message.text }}"],
    }
    message = {"text": "123", "count": 7, "flag": False, "files": ["f1"], "sender": None}
    assert fill_tree(tree, {"message": message}) == {
        "text": "123",
        "count": 7,
        "flag": False,
        "list": ["f1"],
        "mixed": "Hi 123!",
        "null": None,
        "empty": {},
        "kept": 5,
        "items": ["123"],
    }


@pytest.mark.parametrize("text", ["123", "[1]", "None", "{{ 7 * 7 }}", "{% raw %}", "' or 1", "\\", '"}, "admin": true'])
def test_a_text_is_never_more_than_a_text(text: str) -> None:
    values = {"message": {"text": text}}
    assert fill_tree({"t": "{{ message.text }}", "u": "<{{ message.text }}>"}, values) == {"t": text, "u": f"<{text}>"}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("c1", "/chats/c1/x"),
        ("a/b", "/chats/a%2Fb/x"),
        ("..", "/chats/%2E%2E/x"),
        (".", "/chats/%2E/x"),
        ("a?b#c", "/chats/a%3Fb%23c/x"),
        ("👍", "/chats/%F0%9F%91%8D/x"),
        ("%2F", "/chats/%252F/x"),
    ],
)
def test_a_value_in_a_path_is_one_segment(value: str, path: str) -> None:
    assert path_template("/chats/{{ chat.id }}/x").text({"chat": {"id": value}}) == path


@pytest.mark.parametrize("source", ["{{ ''.__class__.__mro__ }}", "{{ cycler.__init__.__globals__ }}", "{{ lipsum() }}"])
def test_templates_cannot_reach_out(source: str) -> None:
    """What the sandbox forbids is not there."""
    try:
        assert template(source).text({}) == ""
    except TemplateFailed:
        pass


def test_what_is_no_template_is_refused() -> None:
    with pytest.raises(TemplateFault):
        template("{{ a b }}")


@pytest.mark.parametrize("value", ["x", "", None, 0, 7, 1.5, True, False, ["a"], {"b": 1}, "a/b"])
def test_simple_templates_and_paths_mean_the_same_the_quick_way(value: object) -> None:
    """Most are looked up directly; written with brackets they go through Jinja2 and JMESPath."""
    values = {"message": {"deep": {"text": value}}}
    for quick, slow in (
        ("{{ message.deep.text }}", "{{ message['deep']['text'] }}"),
        ("a {{ message.deep.text }} b", "a {{ message['deep']['text'] }} b"),
        ("{{ message.deep.nothing.at.all }}", "{{ message['deep']['nothing']['at']['all'] }}"),
        ("{{ nobody.there }}", "{{ nobody['there'] }}"),
    ):
        assert template(quick).text(values) == template(slow).text(values)
        assert template(quick).native(values) == template(slow).native(values)
        assert path_template(quick).text(values) == path_template(slow).text(values)
    assert find("message.deep.text", values) == find("message | deep | text", values)
    assert find("message.deep.text.more", values) == find("message | deep | text | more", values)


LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [{','.join([f'*a{n}'] * 10)}]\n" for n in range(12))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "as its aliases (*name) repeat them"),
        ("headers: &h {a: *h}\n", "as its aliases (*name) repeat them"),
        ("<<: &a {<<: *a}\n", "as its aliases (*name) repeat them"),
        ("x: " + "[" * 3000 + "]" * 3000, "not valid YAML"),
        (f"message_fields: {{text: '{'[' * 3000}{']' * 3000}'}}\n", "nests too deeply"),
        ("dialect: " + "x" * 2**20, "larger than a megabyte"),
    ],
    ids=["many aliases", "itself", "itself merged", "deep", "deep query", "huge"],
)
@pytest.mark.slow
def test_a_hostile_file_is_a_fault_and_costs_little(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    loaded = load_dialect(str(path))
    assert loaded.dialect is None
    assert says in " ".join(str(fault) for fault in loaded.faults)
