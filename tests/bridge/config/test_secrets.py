"""Where values come from: the environment and files; and that secrets show nowhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.interpolate import expand
from bridge.config.secrets import secrets_of

SECRET = "1234567:AAH-very_secret-value"
"""What must never be shown."""


def one(zoo: Any, options: str, **environ: str) -> Any:
    return zoo.load("accounts:\n  polly: {platform: parrot, " + options + "}\n", **environ)


def said(loaded: Any) -> str:
    return "\n".join(f"{fault} {fault!r} {fault.args}" for fault in (*loaded.faults, *loaded.warnings))


# -- ${VAR} -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("${A}", "value"),
        ("x${A}y${A}z", "xvalueyvaluez"),
        ("${NONE:-default}", "default"),
        ("${NONE:-}", ""),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("${A:-default}", "value"),
        ("${NONE:-a:-b$c}", "a:-b$c"),
        ("$${A}", "${A}"),
        ("$A and $$ and }", "$A and $$ and }"),
        ("$$${A}", "$${A}"),
        ("${TRICK}", "${A}"),
    ],
)
def test_expand(text: str, result: str) -> None:
    assert expand(text, {"A": "value", "EMPTY": "", "TRICK": "${A}"}) == (result, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${NONE}", "the environment variable NONE is not set"),
        ("${}", "${} is not a reference"),
        ("${A-b}", "${A-b} is not a reference"),
        ("${1A}", "${1A} is not a reference"),
        ("${A", "an unclosed ${"),
        ("${A:-${B}}", "unclosed"),
    ],
)
def test_broken_references(text: str, problem: str) -> None:
    found = expand(text, {"A": "value", "B": "b"})[1]
    assert any(problem in one for one in found), found


@given(st.text(), st.text(alphabet="${}:-AB ", max_size=20))
def test_expand_never_raises_and_escapes_all(value: str, text: str) -> None:
    expand(text, {"A": value})
    assert expand(value.replace("${", "$${"), {})[0].replace("$${", "${") == value.replace("$${", "${")


def test_variables_work_in_every_kind_of_value(zoo: Any) -> None:
    loaded = one(
        zoo,
        'token: "${T}", limit: "${LIMIT}", loud: "${LOUD:-yes}", perch: "${LIMIT}", free: {"a": "${LIMIT}"}, feathers: ["${T}x"]',
        T=SECRET,
        LIMIT="7",
    )
    assert not loaded.faults, said(loaded)
    options = loaded.config.accounts["polly"].options
    assert (options.limit, options.loud, options.perch, options.free) == (7, True, "7", {"a": "7"})
    assert options.token.get_secret_value() == SECRET


def test_a_missing_variable_is_named_at_its_place_and_hides_nothing_else(zoo: Any) -> None:
    loaded = one(zoo, 'token: "${NOT_THERE}", limit: 0')
    assert [str(fault).removeprefix(f"{zoo.path}:") for fault in loaded.faults] == [
        "2:36: accounts.polly.token: the environment variable NOT_THERE is not set",
        "2:59: accounts.polly.limit: must be at least 1 (found '0')",
    ]


def test_an_empty_secret_is_a_fault(zoo: Any) -> None:
    assert "accounts.polly.token: is empty" in said(one(zoo, 'token: "${T}"', T=""))
    assert "accounts.polly.token: is empty" in said(one(zoo, 'token: " "'))


def test_a_wrong_value_is_shown_as_written_not_as_expanded(zoo: Any) -> None:
    loaded = one(zoo, 'token: abcde, server: "${T}", limit: "${T}", mode: "${T}"', T=SECRET)
    assert len(loaded.faults) == 3
    assert SECRET not in said(loaded)
    assert "(found '${T}')" in said(loaded)


# -- <key>_file -------------------------------------------------------------------------------------------------------------


def secret_file(zoo: Any, content: bytes, mode: int = 0o600) -> Path:
    path: Path = zoo.folder / "token"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_secret_from_a_file_without_its_line_end(zoo: Any, end: bytes) -> None:
    secret_file(zoo, b" " + SECRET.encode() + end)
    loaded = one(zoo, "token_file: token")
    assert not loaded.faults, said(loaded)
    assert loaded.config.accounts["polly"].options.token.get_secret_value() == " " + SECRET


def test_secret_file_by_variable_and_inner_secret(zoo: Any) -> None:
    secret_file(zoo, SECRET.encode())
    loaded = one(zoo, 'token: abcde, inner: {key_file: "${DIR}/token"}', DIR=str(zoo.folder))
    assert loaded.config.accounts["polly"].options.inner.key.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"  \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a\x00b", "is not text"),
        (b"x" * 70_000, "is larger than 64 KiB"),
    ],
)
def test_bad_secret_files(zoo: Any, content: bytes, words: str) -> None:
    path = secret_file(zoo, content)
    loaded = one(zoo, "token_file: token")
    (fault,) = loaded.faults
    assert f"accounts.polly.token_file: the secret's file {path} {words}" in str(fault)
    assert (fault.line, fault.column) == (2, 41)


def test_secret_files_that_cannot_be_read(zoo: Any) -> None:
    assert "cannot read the secret's file" in said(one(zoo, "token_file: nothing-there"))
    assert "Is a directory" in said(one(zoo, "token_file: ."))
    assert "must be text" in said(one(zoo, "token_file: [a]"))


def test_both_forms_at_once_is_a_fault(zoo: Any) -> None:
    secret_file(zoo, b"abcde")
    (fault,) = one(zoo, "token: fghij, token_file: token").faults
    assert "accounts.polly.token_file: token is given as well" in str(fault)


def test_a_file_open_to_everyone_is_a_warning(zoo: Any) -> None:
    secret_file(zoo, b"abcde", mode=0o644)
    loaded = one(zoo, "token_file: token")
    assert "readable by everyone - chmod 600" in said(loaded)
    secret_file(zoo, b"abcde", mode=0o640)
    assert "readable by everyone" not in said(one(zoo, "token_file: token"))


def test_a_secret_in_a_configuration_open_to_everyone_is_a_warning(zoo: Any) -> None:
    text = "accounts:\n  polly: {platform: parrot, token: %s}\n"
    assert any("everyone can read" in str(warning) for warning in zoo.load(text % "abcde", mode=0o644).warnings)
    assert not any("everyone can read" in str(warning) for warning in zoo.load(text % "abcde", mode=0o640).warnings)
    assert not any("everyone can read" in str(warning) for warning in zoo.load(text % '"${T}"', mode=0o644, T="abcde").warnings)


# -- nothing shows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "accounts: {p: {platform: parrot, token: '%s', limit: x}}",
        "accounts: {p: {platform: parrot, tokn: '%s'}}",
        "accounts: {p: {platform: parrot, token: ['%s']}}",
        "accounts: {p: {platform: parrot, token: {'%s': 1}}}",
        "accounts: {p: {platform: '%s', token: '%s'}}",
        "accounts: {p: {platform: parrot, token: abcde, inner: {key: ['%s']}}}",
        "accounts: {p: {platform: parrot, token: '%s'}, q: {platform: parrot, token: '%s'}}",
        "accounts: {p: {platform: parrot, token: '%s', mode: '%s'}}",
        "accounts: {p: {platform: parrot, token: '%s', server: '%s'}}",
        "accounts: {p: {platform: parrot, token: '%s'}}\nroutes: [{name: a, between: ['%s', p/%s]}]",
    ],
)
def test_no_fault_shows_a_secret(zoo: Any, text: str) -> None:
    loaded = zoo.load(text.replace("%s", SECRET))
    assert loaded.faults
    assert SECRET not in said(loaded)
    assert "very_secret" not in said(loaded)


def test_no_repr_shows_a_secret(zoo: Any) -> None:
    loaded = one(zoo, f"token: '{SECRET}', inner: {{key: '{SECRET}'}}")
    assert SECRET not in f"{loaded!r} {loaded.config!r} {loaded.config}"


def test_secrets_of_a_configuration(zoo: Any) -> None:
    (zoo.folder / "token").write_text("from-a-file\n")
    loaded = zoo.load(
        "accounts:\n"
        "  a: {platform: parrot, token_file: token, server: 'http://me:pass%20word@proxy', inner: {key: 'https://a.example/hooks/inner-key'}}\n"
        '  b: {platform: owl, secret: "${S}"}\n',
        S="from-the-environment",
    )
    hook = {"https://a.example/hooks/inner-key", "inner-key"}  # whose last part is the key
    assert secrets_of(loaded.config) == {"from-a-file", *hook, "from-the-environment", "pass%20word", "pass word"}


def test_a_pipe_as_a_secrets_file_is_a_fault_and_not_waited_for(zoo: Any) -> None:
    os.mkfifo(zoo.folder / "pipe")
    for path in ("pipe", "/dev/zero", "/dev/tty"):
        loaded = zoo.load(f"accounts: {{polly: {{platform: parrot, token_file: {path}}}}}\n")
        assert any("not a regular file" in str(fault) or "cannot read" in str(fault) for fault in loaded.faults), path
