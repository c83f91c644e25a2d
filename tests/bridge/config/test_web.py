"""Who may see the dashboard: what is a fault, and what is warned of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from adapters.registry import load_platform
from bridge.config.dashboard import Role
from bridge.config.difference import difference
from bridge.config.load import load_config
from bridge.config.model import Loaded
from bridge.config.secrets import secrets_of
from tests.support.dashboard import ACCOUNTS

GOOD = "a-password-that-is-long"

Load = Callable[..., Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def do(dashboard: object, listen: str = "127.0.0.1:8081", **admin: object) -> Loaded:
        path = tmp_path / "bridge.yaml"
        path.write_text(ACCOUNTS + yaml.safe_dump({"web": {"admin": {"listen": listen, "dashboard": dashboard, **admin}}}))
        path.chmod(0o600)
        return load_config(path, {}, load_platform)

    return do


def test_users_have_passwords_of_their_own_from_files_too(load: Load, tmp_path: Path) -> None:
    (tmp_path / "wall").write_text("another-password\n")
    (tmp_path / "wall").chmod(0o600)
    loaded = load({"users": {"anna": {"password": GOOD, "role": "operate"}, "wall": {"password_file": "wall"}}})
    assert loaded.config is not None, loaded.faults
    assert not loaded.warnings
    anna, wall = loaded.config.web.dashboard.users
    assert (anna.role, wall.role, wall.password.get_secret_value()) == (Role.OPERATE, Role.READ, "another-password")
    assert {GOOD, "another-password"} <= secrets_of(loaded.config)
    assert GOOD not in repr(loaded.config)


@pytest.mark.parametrize(
    ("dashboard", "fault"),
    [
        ({"users": {"anna": {"password": "short"}}}, "users.anna.password: has fewer than 12 characters"),
        ({"users": {"anna": {}}}, "password is missing"),
        ({"users": {"a b": {"password": GOOD}}}, "'a b' is no user name"),
        ({"users": {"anna": {"password": GOOD, "role": "admin"}}}, "role: "),
        ({"users": {"a": {"password": GOOD}, "b": {"password": GOOD}}}, "users.b.password: is that of a too"),
        ({"user_header": "Remote-User"}, "user_header: nobody is trusted"),
        ({"user_header": "Remote-User", "trusted_proxies": ["127.0.0.1", "0.0.0.0/0"]}, "trusted_proxies: 0.0.0.0/0 is more than"),
        ({"user_header": "Remote-User", "trusted_proxies": ["0.0.0.0/1", "128.0.0.0/1"]}, "trusted_proxies: 0.0.0.0/1 is more"),
        ({"user_header": "Remote-User", "trusted_proxies": ["::/0"]}, "trusted_proxies: ::/0 is more than a proxy's network"),
        ({"user_header": "Remote User", "trusted_proxies": ["10.0.0.1"]}, "must be the name of a header"),
        ({"operators": ["anna"]}, "operators: no proxy names anybody"),
        ({"user": {}}, "unknown key 'user'"),
        ({"trusted_proxies": ["proxy.example.com"]}, "trusted_proxies"),
    ],
)
def test_what_is_wrong_is_said(load: Load, dashboard: object, fault: str) -> None:
    loaded = load(dashboard)
    assert loaded.config is None
    said = "\n".join(map(str, loaded.faults))
    assert fault in said
    assert GOOD not in said


def test_a_private_network_may_hold_the_proxy(load: Load) -> None:
    assert load({"user_header": "Remote-User", "trusted_proxies": ["10.0.0.0/8", "fc00::/7", "127.0.0.0/8"]}).config is not None
    assert load({"users": {"anna": {"password": GOOD}}, "trusted_proxies": ["0.0.0.0/0"]}).config is not None


def test_one_that_nobody_has_to_sign_in_for_is_warned_of(load: Load) -> None:
    def warned(*given: object, **more: object) -> str:
        loaded = load(*given, **more)
        assert loaded.config is not None, loaded.faults
        return "\n".join(str(one) for one in loaded.warnings if "dashboard" in str(one))

    assert "is empty, so there is no dashboard" in warned(None)
    assert warned({}) == ""
    assert warned({}, "0.0.0.0:8081").endswith("give users with a password_file each, or the user_header of a proxy")
    assert "may look at the dashboard without a password" in warned({}, hosts=["bridge.example.com"])
    signed = {"users": {"anna": {"password": GOOD}}}
    for listen in ("0.0.0.0:8081", "127.0.0.1:8081"):
        assert warned(signed, listen, hosts=["bridge.example.com"]) == ""
    assert warned({"enabled": False}, hosts=["bridge.example.com"]) == ""


def test_who_has_no_section_for_it_gets_none(load: Load, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(ACCOUNTS + "web: {admin: {listen: '127.0.0.1:8081', hosts: [bridge.example.com]}}\n")
    old = load_config(tmp_path / "old.yaml", {}, load_platform)
    empty, asked_for = load(None), load({})
    for loaded, is_open in ((old, False), (empty, False), (asked_for, True)):
        assert loaded.config is not None, loaded.faults
        assert loaded.config.web.dashboard.is_open(is_local=True) is is_open
    assert not [one for one in old.warnings if "dashboard" in str(one)]


def test_a_reload_puts_another_user_in_force_at_once(load: Load) -> None:
    now, new = load(None).config, load({"users": {"anna": {"password": GOOD}}}).config
    assert now is not None
    assert new is not None
    found = difference(now, new, started_with=now)
    assert (found.sections, found.needs_restart) == (("web.admin.dashboard",), ())
    assert GOOD not in str(list(found.lines()))
