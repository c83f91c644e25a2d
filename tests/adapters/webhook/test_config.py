"""Options of an account: what the check finds before anything is sent or comes in."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.webhook.addresses import check_end
from adapters.webhook.config import Options, advise, check_options, needs_public_web


def faults(ends: Any) -> list[tuple[str, str]]:
    return [(fault.key, fault.why) for fault in check_options(Options.model_validate({"ends": ends}))]


@pytest.mark.parametrize(
    ("end", "key", "why"),
    [
        ({"signature": {"scheme": "hmac", "secret": "s"}}, "signature.header", "which header"),
        ({"signature": {"scheme": "hmac", "secret": "s", "header": "X", "signed": "x"}}, "signature.signed", "{body}"),
        (
            {"signature": {"scheme": "hmac", "secret": "s", "header": "X", "signed": "{timestamp}.{body}"}},
            "signature.signed",
            "need each other",
        ),
        (
            {"signature": {"scheme": "hmac", "secret": "s", "header": "X", "timestamp_header": "Y"}},
            "signature.signed",
            "each other",
        ),
        ({"signature": {"scheme": "github", "secret": "s", "header": "X"}}, "signature.header", "says this itself"),
        ({"signature": {"scheme": "standard", "secret": "s", "digest": "sha512"}}, "signature.digest", "says this itself"),
        ({"url": "https://example.com/hook", "fetch": True}, "fetch", "not both"),
        ({"template": "nobody"}, "template", "no such template"),
    ],
)
def test_what_does_not_go_together_is_told_at_its_key(end: Any, key: str, why: str) -> None:
    assert any(at == f"ends.alerts.{key}" and why in said for at, said in faults({"alerts": end})), faults({"alerts": end})


OF_GITHUB = {"scheme": "github", "secret": "s"}


def test_an_account_has_ends_with_names() -> None:
    assert faults({})[0][0] == "ends"
    assert faults({"a/b": {}})[0][0] == "ends.a/b"
    assert not faults({"alerts": {}, "Deploys-2.x_y": {}})


def test_what_others_call_needs_the_public_listener() -> None:
    signed = {"signature": {"scheme": "github", "secret": "s"}}
    ends: list[dict[str, Any]] = [{"get": True}, {"form": {}}, {"fetch": True}, signed]
    for end in ends:
        fault = needs_public_web(Options.model_validate({"ends": {"a": end}}))
        assert fault is not None
        assert fault.key == f"ends.a.{next(iter(end))}"
    assert needs_public_web(Options.model_validate({"ends": {"a": {"url": "https://example.com"}}})) is None


def test_a_signature_without_its_moment_is_warned_of() -> None:
    signature = {"scheme": "hmac", "secret": "s", "header": "X-Sig"}
    (warning,) = advise(Options.model_validate({"ends": {"a": {"signature": signature}, "b": {"signature": OF_GITHUB}}}))
    assert warning.key == "ends.a.signature.scheme"
    assert "timestamp_header" in str(warning)
    dated = {**signature, "timestamp_header": "X-At", "signed": "{timestamp}.{body}"}
    assert not advise(Options.model_validate({"ends": {"a": {"signature": dated}}}))


def test_programs_of_matterbridges_api_know_each_end_by_one_name() -> None:
    def told(style: str, **ends: Any) -> list[tuple[str, str]]:
        found = check_options(Options.model_validate({"style": style, "ends": ends}))
        return [(fault.key, fault.why) for fault in found]

    assert not told("matterbridge", a={}, b={"gateway": "c"})
    for key, ends in (
        ("ends.b.gateway", {"a": {}, "b": {"gateway": " a "}}),
        ("ends.a.url", {"a": {"url": "https://example.com"}}),
        ("ends.a.fetch", {"a": {"fetch": True}}),
    ):
        assert [at for at, _ in told("matterbridge", **ends)] == [key]
    assert "style matterbridge" in told("slack", a={"gateway": "x"})[0][1]
    options = Options.model_validate({"style": "matterbridge", "ends": {"a": {}}})
    fault = needs_public_web(options)
    assert fault is not None
    assert fault.key == "style"
    assert check_end(options, "a", receives=True) is None


def test_no_secret_is_shown() -> None:
    options = Options.model_validate({"secret": "hush-1", "ends": {"a": {"signature": {"scheme": "github", "secret": "hush-2"}}}})
    assert "hush" not in repr(options)
    with pytest.raises(ValidationError) as refused:
        Options.model_validate({"ends": {"a": {"signature": {"scheme": "none", "secret": "hush-3"}}}})
    assert "hush" not in str(refused.value)
