"""Whose word it is where a call goes."""

from __future__ import annotations

import pytest

from adapters.teamspirit.dialect.calls import NoAnswer
from adapters.teamspirit.outbound.encode import is_led


@pytest.mark.parametrize(
    "url",
    [
        "{{ prepared.direct_url }}",
        "{{ prepared.url or account.server }}/files",
        "https://{{ prepared.host }}/files",
        "https://store{{ prepared.number }}.example.com/files",
        "https://store.example.com{{ prepared.path }}",  # it may begin with @ or a dot
        "{{ account.server }}{{ prepared.path }}",
        "{{ account.server ~ prepared.path }}",
        "{% if true %}{{ message.id }}{% endif %}",
        "{{ me.name }}",
    ],
)
def test_a_host_that_comes_of_what_a_server_says(url: str) -> None:
    assert is_led(NoAnswer(method="POST", url=url))


@pytest.mark.parametrize(
    "url",
    [
        "https://store.example.com/files/{{ prepared.key }}",
        "https://store.example.com",
        "http://[::1]:9000/files?key={{ prepared.key }}",
        "{{ account.server }}/files/{{ prepared.key }}",
        "{{ account.variables.store }}",
        "{{ account.server or 'https://api.example.com' }}/files",
        "{{ chat.incoming_webhook }}",
    ],
)
def test_a_host_that_the_dialect_or_bridge_yaml_names(url: str) -> None:
    assert not is_led(NoAnswer(method="POST", url=url))


def test_a_path_lies_below_the_dialect_s_base() -> None:
    assert not is_led(NoAnswer(method="POST", path="/{{ prepared.key }}"))
