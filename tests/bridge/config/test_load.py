"""The file as a whole: sections, places of faults, files that are none, and that nothing makes the loader raise."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.registry import load_platform
from bridge.config.load import load_config
from tests.support.budget import examples
from tests.support.patience import PATIENCE_S

ROUTE = "routes:\n  - {name: a, between: [polly/#x, owl/y]}\n"


def only(found: list[str]) -> str:
    assert len(found) == 1, found
    return found[0]


def test_defaults_of_a_small_file(zoo: Any) -> None:
    config = zoo.good(ROUTE)
    assert list(config.accounts) == ["polly", "coco", "owl"]
    assert config.accounts["polly"].options.server == "https://parrot.example"
    assert config.journal.path == zoo.folder / "messenger-bridge.journal"
    assert config.journal.keep_days == 90
    assert (config.media.spool, config.web.public, config.web.admin) == (None, None, None)
    assert (config.log.format, config.log.level, config.drain_s) == ("auto", "info", 20)


def test_all_sections(zoo: Any) -> None:
    config = zoo.good(
        ROUTE
        + """\
journal: {path: data.journal, keep_days: 7}
media: {spool: ./spool, spool_mb: 10}
web:
  public: {listen: '0.0.0.0:8443', url: https://bridge.example.com/x/}
  admin: {listen: '[::1]:9100'}
log: {format: json, level: debug}
shutdown: {drain_s: 3.5}
reserved_names: [system, 007]
x-mine: {anything: [goes]}
"""
    )
    assert config.journal.path == zoo.folder / "data.journal"
    assert config.media.spool == zoo.folder / "spool"
    assert (config.web.public.host, config.web.public.port) == ("0.0.0.0", 8443)
    assert config.web.public_url == "https://bridge.example.com/x"
    assert (config.web.admin.host, config.web.admin.port) == ("::1", 9100)
    assert (config.log.format, config.log.level, config.drain_s) == ("json", "debug", 3.5)
    assert config.reserved_names == ("system", "007")


def test_a_section_with_nothing_under_it_is_absent(zoo: Any) -> None:
    config = zoo.good(ROUTE + "journal:\nmedia:\nweb:\n  # admin: ...\nlog: ~\npeople:\ndefaults:\nreserved_names:\n")
    assert config.journal.keep_days == 90


def test_every_fault_of_the_file_at_once_in_order(zoo: Any) -> None:
    found = zoo.load(
        """\
accounts:
  polly: {platform: parot, token: x}
  coco:
    platform: parrot
    tokn: verysecret
    limit: 1000
    mode: spek
    inner: {depth: deep}
routes:
  - name: a
    between: [poly/#x, coco/bad address]
journal: {keep_days: 0, path: /nowhere/x}
sutdown: {}
"""
    ).faults
    assert [str(fault).removeprefix(f"{zoo.path}:") for fault in found] == [
        "2:21: accounts.polly.platform: unknown platform 'parot' - did you mean 'parrot'?",
        "3:3: accounts.coco: token is missing - give token: or token_file:",
        "5:5: accounts.coco.tokn: unknown key 'tokn' - did you mean 'token'?",
        "6:12: accounts.coco.limit: must be at most 100 (found '1000')",
        "7:11: accounts.coco.mode: must be one of speak, listen (found 'spek') - did you mean 'speak'?",
        "8:20: accounts.coco.inner.depth: must be a whole number (found 'deep')",
        "11:15: routes[0].between[0]: unknown account 'poly' (found 'poly/#x') - did you mean 'polly'?",
        "11:24: routes[0].between[1]: must be #name or a number (found 'coco/bad address')",
        "12:22: journal.keep_days: must be more than 0 (found '0')",
        "12:31: journal.path: there is no folder /nowhere (found '/nowhere/x')",
        "13:1: sutdown: unknown section 'sutdown' - did you mean 'shutdown'?",
    ]


def test_fault_fields(zoo: Any) -> None:
    fault = zoo.rest("routes:\n  - {name: a, between: [polly/#x, owll/y]}\n").faults[0]
    assert (fault.path, fault.line, fault.column, fault.key) == (str(zoo.path), 6, 35, "routes[0].between[1]")
    assert (fault.why, fault.value, fault.hint) == ("unknown account 'owll'", "owll/y", "did you mean 'owl'?")


def test_unquoted_ids_stay_exactly_as_written(zoo: Any) -> None:
    config = zoo.good(
        """\
routes:
  - {name: 10, from: polly/-1001234567890123, to: polly/0080351110224678912}
people:
  - {name: Anna, polly: 80351110224678912345, coco: 0123, owl: 1_000}
  - {name: Bob, polly: yes, coco: 0x1F, owl: 12:30:45}
  - {name: Eve, polly: 1.10, coco: 2024-01-02, owl: -5}
"""
    )
    route = config.routes[0]
    assert route.name == "10"
    assert [str(end) for end in route.ends] == ["polly/-1001234567890123", "polly/0080351110224678912"]
    assert [dict(person.ids) for person in config.people] == [
        {"polly": "80351110224678912345", "coco": "0123", "owl": "1_000"},
        {"polly": "yes", "coco": "0x1F", "owl": "12:30:45"},
        {"polly": "1.10", "coco": "2024-01-02", "owl": "-5"},
    ]


@pytest.mark.parametrize(
    ("word", "value"), [("on", True), ("Yes", True), ("true", True), ("off", False), ("no", False), ("FALSE", False)]
)
def test_switches_as_yaml_people_write_them(zoo: Any, word: str, value: bool) -> None:
    config = zoo.good(ROUTE + f"defaults: {{pins: {word}}}\n")
    assert config.routes[0].ends[0].options.pins is value


def test_accounts_may_be_called_like_yaml_words(zoo: Any) -> None:
    loaded = zoo.load(
        "accounts:\n  on: {platform: owl, secret: abcde}\n  1: {platform: owl, secret: bcdef}\n"
        "routes: [{name: a, between: [on/x, 1/y]}]\npeople: [{name: A, on: 1, 1: 2}]\n"
    )
    assert loaded.config is not None
    assert [str(end) for end in loaded.config.routes[0].ends] == ["on/x", "1/y"]


def test_free_values_are_read_as_yaml_reads_them(zoo: Any) -> None:
    loaded = zoo.load(
        "accounts:\n  polly: {platform: parrot, token: abcde, perch: 3,\n"
        "    free: {a: [1, 2.5, yes, no, null, '7', text], b: {c: -1}}}\n"
        "  coco: {platform: parrot, token: bcdef, perch: high}\n"
    )
    assert loaded.config is not None
    options = loaded.config.accounts["polly"].options
    assert options.free == {"a": [1, 2.5, True, False, None, "7", "text"], "b": {"c": -1}}
    assert options.perch == 3
    assert loaded.config.accounts["coco"].options.perch == "high"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("[1, 2]", "must be a mapping with accounts: and routes:, not a list"),
        ("text", "must be a mapping"),
        ("routes: []", "there are no accounts"),
        ("accounts: {}", "there are no accounts"),
        ("accounts: 3", "must be a mapping (key: value), not a single value"),
        ("accounts: {a: 3}", "must be a mapping, not a single value"),
        ("accounts:\n  a:\n", "must be a mapping, not nothing"),
        ("accounts: {a: {}}", "platform is missing - one of parrot, owl"),
        ("accounts: {a: {platform: [parrot]}}", "must be text, not a list"),
        ("accounts: {'a b': {platform: owl, secret: abcde}}", "letters, digits"),
        ("accounts: {name: {platform: owl, secret: abcde}}", "cannot be an account's name"),
        ("accounts: {a: {platform: owl, secret: !!python/name:os.system x}}", "not supported"),
        ("accounts: {a: {platform: owl, secret: !new x}}", "the tag !new is not supported"),
        ("accounts: " + "[" * 100_000, "nested more than 100 levels"),
        ("accounts:\n " + "- " * 100_000, "nested more than 100 levels"),
        ("? [a]\n: b\n", "a key must be a single word"),
    ],
)
def test_files_that_are_no_configuration(zoo: Any, text: str, words: str) -> None:
    loaded = zoo.load(text)
    assert loaded.config is None
    assert any(words in str(fault) for fault in loaded.faults), [str(fault) for fault in loaded.faults]


def test_files_that_cannot_be_read(zoo: Any) -> None:
    zoo.path.mkdir()
    from bridge.config.load import load_config

    for path, words in ((zoo.path, "cannot be read"), (zoo.folder / "none.yaml", "No such file")):
        loaded = load_config(path, {}, zoo.manifests.__getitem__)
        assert words in str(only(loaded.faults))  # type: ignore[arg-type]


def test_not_utf_8(zoo: Any) -> None:
    from bridge.config.load import load_config

    zoo.path.write_bytes(b"a: 1\nb: \xff\n")
    assert "not UTF-8 text: line 2" in str(load_config(zoo.path, {}, zoo.manifests.__getitem__).faults[0])


def test_byte_order_mark_and_windows_line_ends(zoo: Any) -> None:
    from bridge.config.load import load_config

    zoo.path.write_bytes(b"\xef\xbb\xbf" + (zoo.accounts + ROUTE).replace("\n", "\r\n").encode())
    assert load_config(zoo.path, {}, zoo.manifests.__getitem__).config is not None


_WORDS = ["accounts", "routes", "people", "polly", "platform", "parrot", "token", "between", "from", "to", "name", "filter"]
_MORE = ["drop", "x/y", "-1", "é", "😀"]
_SIGNS = [":", ": ", "\n", "\n  ", "\n    ", "- ", *"[]{},#'\"!|>~$\t", "*a", "&a ", "<<", "${"]
_SCRAPS = st.sampled_from([*_WORDS, *_MORE, *_SIGNS])


@settings(
    max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(scraps=st.lists(_SCRAPS, max_size=40))
def test_no_input_makes_it_raise(zoo: Any, scraps: list[str]) -> None:
    loaded = zoo.load("".join(scraps))
    assert (loaded.config is None) == bool(loaded.faults)


@settings(
    max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(text=st.text(max_size=60))
def test_no_text_makes_it_raise(zoo: Any, text: str) -> None:
    for before in ("", "accounts: ", zoo.accounts + "routes: "):
        loaded = zoo.load((before + text).encode("utf-8", "replace").decode())
        assert (loaded.config is None) == bool(loaded.faults)


@pytest.mark.slow
def test_ten_thousand_routes_load_in_time(zoo: Any, tmp_path: Path) -> None:
    routes = "".join(
        f"  - name: r{n}\n    between: [polly/-100{n:07}, coco/{n + 10**17}, owl/team/channel-{n}]\n" for n in range(10_000)
    )
    begun = time.process_time()
    config = zoo.good("routes:\n" + routes)
    taken_s = time.process_time() - begun
    assert len(config.routes) == 10_000
    assert taken_s < 4, f"{taken_s:.1f} s"  # about 0.4 s on an idle machine


@pytest.mark.slow
def test_ten_thousand_routes_leave_little_in_memory(tmp_path: Path) -> None:
    """What is kept are the routes; the file's tree, some ten times as large, is given back."""
    accounts = "accounts: {a: {platform: telegram, token: abcde}, b: {platform: teamspirit, server: 'http://x', api_key: abcde}}\n"
    routes = "".join(
        f"  - name: route-{n}\n    between: [a/-100{n:07}, b/chat-{n}, b/other-{n}, b/third-{n}]\n" for n in range(10_000)
    )
    (tmp_path / "bridge.yaml").write_text(accounts + "routes:\n" + routes)
    code = """
import pathlib, sys
from adapters import registry
from bridge.config.load import load_config
def rss_mb(): return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
load_config(pathlib.Path("none"), {}, registry.load_platform)
registry.load_platform("telegram").options(), registry.load_platform("teamspirit").options()
before = rss_mb()
loaded = load_config(pathlib.Path(sys.argv[1]), {}, registry.load_platform)
assert len(loaded.config.routes) == 10_000
print(rss_mb() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "bridge.yaml"], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert float(done.stdout) < 40, f"{done.stdout} MB"


def test_what_was_read_is_told_from_anything_else(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"

    def seen(token: str = "one", variable: str = "a", more: str = "") -> str:
        (tmp_path / "key").write_text(f"key-{token}\n")
        path.write_text(
            f"accounts:\n  s: {{platform: teamspirit, server: 'http://${{HOST}}', api_key_file: key}}\nroutes: []  # {more}\n"
        )
        return load_config(path, {"HOST": variable}, load_platform).seen

    found = seen()
    assert found == seen()
    assert len({found, seen(token="two"), seen(variable="b"), seen(more="c")}) == 4
    path.write_text("routes: [")
    assert load_config(path, {}, load_platform).seen not in ("", found)
