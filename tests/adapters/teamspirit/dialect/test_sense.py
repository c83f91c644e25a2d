"""Entries that contradict each other or can never work are faults, each at its line; what works stays no fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.teamspirit.dialect.load import load_dialect

WHOLE = """\
dialect: mine
title: Mine
verified: never
base: https://im.example.com
limits: {text_length: 100}
errors: {code: code, chat_codes: [gone]}
operations:
  me: {method: GET, path: /me, answer: {id: id}}
  send: {method: POST, path: /send, json: {text: "{{ message.text }}"}, answer: {id: id}}
  edit: {method: PUT, path: "/messages/{{ message.id }}", json: {text: "{{ message.text }}"}}
  delete: {method: DELETE, path: "/messages/{{ message.id }}"}
  react: {method: PUT, path: "/messages/{{ message.id }}/{{ reaction.emoji }}"}
  unreact: {method: DELETE, path: "/messages/{{ message.id }}/{{ reaction.emoji }}"}
  history: {method: GET, path: "/chats/{{ chat.id }}", query: {after: "{{ after }}"}, answer: {items: items}}
  register_webhook: {method: POST, path: /hooks, json: {url: "{{ webhook.url }}"}, answer: {id: id, key: key}}
message_fields: {message_id: id, user_id: user, text: text, sent_at: at}
inbound:
  authentication: {key: {in: header, name: X-Key}}
  fields: {chat_id: chat, message_id: id, user_id: user, text: text, sent_at: at}
  events:
    created: {when: "kind == 'new'"}
    edited: {when: "kind == 'edit'"}
"""


def faults_of(text: str, tmp_path: Path) -> list[str]:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    return [f"{one.line} {one.key}: {one.why}" for one in load_dialect(str(path)).faults]


def test_it_is_right_as_it_stands(tmp_path: Path) -> None:
    assert faults_of(WHOLE, tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        # calls
        ("base: https://im.example.com\n", "", "'base'"),
        ("base: https://im.example.com", "base: im.example.com", "4 base: must begin with"),
        ("path: /me", "path: me", "8 operations.me.path: must begin with /"),
        ("path: /me", "url: /me", "8 operations.me.url: must begin with"),
        ("base: https", 'headers: {"X Key": a}\nbase: https', "headers.X Key: no header"),
        # what a call must say
        ('{text: "{{ message.text }}"}, answer: {id: id}}', "{text: hello}, answer: {id: id}}", "never says {{ message.text }}"),
        ('path: "/messages/{{ message.id }}", json', "path: /messages, json", "never says {{ message.id }}"),
        ('"/messages/{{ message.id }}/{{ reaction.emoji }}"}\n  unreact', '"/m/{{ message.id }}"}\n  unreact', "reaction.emoji"),
        ('{url: "{{ webhook.url }}"}', "{}", "never says {{ webhook.url }}"),
        (', query: {after: "{{ after }}"}', "", "14 operations.history: 'by: after' never says {{ after }}"),
        ("answer: {items: items}", "by: since, answer: {items: items}", "never says {{ since_ms }}"),
        # what needs another
        ("  me: {method: GET, path: /me, answer: {id: id}}", "  typing: {method: GET, path: '/{{ me.id }}'}", "the operation 'me'"),
        ('"}, answer: {id: id}}\n  edit', '"}}\n  edit', "needs 'operations.send.answer.id'"),
        ("answer: {id: id, key: key}", "answer: {id: id}", "its calls carry a key"),
        ("{key: {in: header, name: X-Key}}", "{signature: {header: X}}", "its calls are signed"),
        ("answer: {items: items}", "deletes: flagged, answer: {items: items}", "needs the entry 'message_fields.deleted'"),
        # what is read
        ("message_fields: {message_id: id", "message_fields: {message_id: \"'id'\"", "same for every"),
        ("text: text, sent_at: at}\n  ev", "text: text, files: files, sent_at: at}\n  ev", "needs the entry 'file'"),
        ("kind == 'new'", 'kind == \\"new.message\\"', "in double quotes is the name of a field"),
        ("kind == 'new'", "'kind' == 'new'", "compares two constants"),
        ("kind == 'new'", "lower(kind) == 'new'", "no function 'lower'"),
        ("kind == 'new'", "startswith(kind, 'new')", "did you mean 'starts_with'"),
        ("kind == 'new'", "contains(kind)", "contains() takes 2 arguments, not 1"),
        ("kind == 'edit'", "kind == 'new'", "22 inbound.events.edited.when: it is never reached: 'created'"),
        ("kind == 'new'", "`true`", "never reached: 'created' before it takes every call"),
        ("created: {when", "reaction_added: {when", "nothing says where 'emoji' is"),
        ("created: {when", "chat_renamed: {when", "nothing says where 'chat_name' is"),
        # errors
        ("{code: code, chat_codes: [gone]}", "{chat_codes: [gone]}", "needs the entry 'code'"),
        ("chat_codes: [gone]", "chat_codes: [gone], gone_codes: [gone]", "is in 'chat_codes' too"),
        ("{in: header, name: X-Key}", '{in: header, name: "X Key"}', "no header can have this name"),
    ],
)  # fmt: skip
def test_what_can_never_work_is_a_fault(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert WHOLE.count(old) >= 1, old
    found = faults_of(WHOLE.replace(old, new, 1), tmp_path)
    assert any(fault in one for one in found), found
    assert not any(one.startswith("0 ") for one in found), found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind == 'edit'", "`true`"),
        ("text: text, sent_at: at}\ninb", "text: \"'[something]'\", sent_at: at}\ninb"),
        ("path: /me", "url: '{{ account.server }}/me'"),
        ("answer: {items: items}", "answer: {items: 'sort_by(values(items), &at)'}"),
        ("kind == 'new'", "not_null(kind, other) == 'new'"),
        ("kind == 'new'", '\\"kind-of\\".thing'),
    ],
)
def test_what_works_is_no_fault(tmp_path: Path, old: str, new: str) -> None:
    assert faults_of(WHOLE.replace(old, new, 1), tmp_path) == []
