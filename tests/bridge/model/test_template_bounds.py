"""No template costs more than a moment: loops, calls and texts are paid for, whatever the payload has."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bridge.model.template_bounds import MOST_TEXT
from bridge.model.templates import TemplateFailed, TemplateFault, template

LARGE: dict[str, Any] = {
    "many": list(range(300_000)),
    "words": "word " * 200_000,
    "tabs": "\t" * 1_000_000,
    "lines": "\n" * 1_000,
    "strings": ["x"] * 300_000,
    "deep": {"items": [1, 2], "values": None, "a": "b"},
}

HOSTILE = [
    "{% for a in many %}{% for b in many %}{% endfor %}{% endfor %}",
    "{% for a in many %}x{% endfor %}",
    "{% for a in many %}{% if a in many %}{% endif %}{% endfor %}",
    "{% for a in many[:1000] %}{% if words == words ~ 'x' %}{% endif %}{% endfor %}",
    "{% for a in many[:1000] %}{% if a is in many %}{% endif %}{% endfor %}",
    "{% for a in many[:1000] %}{{ words }}{% endfor %}",
    "{% for a in many[:1000] %}{% if (words ~ words) | length %}{% endif %}{% endfor %}",
    "{% for a in many[:9000] %}{% if words | upper | lower %}{% endif %}{% endfor %}",
    "{% for a in many[:9000] %}{% if words.upper() %}{% endif %}{% endfor %}",
    "{% for a in many[:9000] recursive %}{{ loop(many) }}{% endfor %}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 1000000000 * 'a' }}",
    "{{ [1] * 1000000000 }}",
    "{{ words * 1000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 9999999999 ** 64 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{w}}'.format(1, w=1000000000) }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ 'a' | center(1000000000) }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a'.zfill(1000000000) }}",
    "{{ tabs.expandtabs(9999) }}",
    "{{ words | replace('', words) }}",
    "{{ words | replace('w', words) }}",
    "{{ words.replace('w', words) }}",
    "{{ many | join(words) }}",
    "{{ words.join(strings) }}",
    "{{ lines | indent(9999) }}",
    "{{ many | batch(1000000000, 'x') | list }}",
    "{{ many | slice(1000000000) | list }}",
    "{{ [[1]] | sum(start=[]) }}",
    "{{ words | unique | join }}",
    "{{ words | sort | first }}",
    "{{ words | map('upper') | first }}",
    "{{ 'a'.translate({97: words}) }}",
    "{{ 'a'.encode() }}",
    "{{ (5).to_bytes(1000000000, 'big') }}",
    "{{ ''.__class__.__mro__ }}{{ deep.__class__.__init__.__globals__ }}{{ [].append.__self__.__class__() }}{{ 1 / 0 }}",
    "{{ cycler('a') }}",
    "{{ range(1000000000) }}",
    "{{ lipsum(1000) }}",
    "{{ namespace(a=1) }}",
    "{% include 'x' %}",
]


@pytest.mark.parametrize("source", HOSTILE)
def test_a_hostile_template_fails_within_a_moment(source: str) -> None:
    before_s = time.process_time()
    with pytest.raises((TemplateFailed, TemplateFault)):
        template(source).text(LARGE)
    assert time.process_time() - before_s < 20.0


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{% for a in b %}" * 60 + "{% endfor %}" * 60,
        "{{ a | nofilter }}",
        "{% for %}",
        "{{ " + "[" * 3000 + "]" * 3000 + " }}",
    ],
)
def test_what_cannot_be_compiled_is_a_fault_when_it_is_read(source: str) -> None:
    with pytest.raises(TemplateFault):
        template(source)


def test_no_text_is_longer_than_the_bound() -> None:
    words = {"words": "x" * (MOST_TEXT // 2)}
    assert len(template("{{ words ~ 'y' }}").text(words)) == MOST_TEXT // 2 + 1
    with pytest.raises(TemplateFailed):
        template("{{ words }}{{ words }}{{ words | upper }}").text(words)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{% for a in strings %}{{ loop.index }}/{{ loop.length }} {{ a | upper }};{% endfor %}", "1/2 A;2/2 B;"),
        ("{{ strings | map('upper') | join(', ') }}", "A, B"),
        ("{{ deep.items }} {{ deep.values }}", "[1, 2] "),
        ("{% for key, value in labels.items() %}{{ key }}={{ value }} {% endfor %}", "job=db "),
        ("{{ 'a' ~ (2 + 3 * 4) }} {{ 7 // 2 }} {{ 2 ** 10 }}", "a14 3 1024"),
        ("{{ '%05.1f' % 3.14159 }} {{ '{:>5}'.format('a') }}", "003.1     a"),
        ("{{ words[:4] }} {{ words | truncate(8) }}", "word word..."),
        ("{{ 'w' in words and 'a' not in strings[1:] }}", "true"),
        ("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m('x') }}{{ nothing.at.all }}", "<x>"),
        ("{{ labels | dictsort | list }} {{ many | sum }}", '[["job", "db"]] 6'),
    ],
)
def test_what_admins_write_works(source: str, shown: str) -> None:
    values = {"strings": ["a", "b"], "deep": {"items": [1, 2], "values": None}, "labels": {"job": "db"}, "many": [1, 2, 3]}
    assert template(source).text({**values, "words": "word " * 50}) == shown
