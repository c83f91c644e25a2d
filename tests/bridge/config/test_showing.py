"""bridge.yaml is shown without a secret in it: none of those that the bridge knows, and none that only look like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.registry import load_platform, platforms
from bridge.config.load import show_config
from bridge.config.showing import MOST_LINES, Shown

PLATFORMS = {name: load_platform(name) for name in platforms()}

FILE = """\
# token: an-old-token-1
x-mine: &mine {api_key: hidden-2, anything: hidden-3}
accounts:
  tg: {platform: telegram, token: '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw', proxy: 'http://me:hidden-4@proxy:3128'}
  spirit:
    platform: teamspirit
    server: https://im.example.com   # api_key = hidden-5
    api_key: >-
      hidden-6
    webhook: {path: /hooks, key: hidden-7}
    tokn: hidden-8
  team: {platform: slack, bot_token: "${SLACK}", app_token_file: /run/secrets/app, signing_secret: "${A:-hidden-9}"}
  hooks:
    platform: webhook
    ends:
      alerts: {url: 'https://example.com/in', headers: {Authorization: hidden-10, X-Team: hidden-11}}
routes:
  - {name: one, between: [tg/-1001234567890, spirit/engineering]}
ops: {chat: team/#ops, apprise: 'mailto://me:hidden-12@example.com'}
web:
  admin: {listen: 127.0.0.1:8081, dashboard: {users: {anna: {password: hidden-13-long-enough, role: operate}}}}
mystery: {a: [hidden-14]}
journal: {path: /var/lib/x}
# the end
"""


def shown(folder: Path, text: str, **environ: str) -> Shown:
    path = folder / "bridge.yaml"
    path.write_text(text)
    return show_config(path, environ, PLATFORMS)


def test_no_secret_is_shown_and_all_the_rest_is(tmp_path: Path) -> None:
    found = shown(tmp_path, FILE, SLACK="xoxb-1-2-three")
    assert "hidden" not in found.text, found.text
    assert "AAHdq" not in found.text
    assert "an-old-token-1" not in found.text
    assert found.text.count("\n") == FILE.rstrip("\n").count("\n"), "each line keeps its number"
    for harmless in (
        "platform: telegram",
        "server: https://im.example.com",
        'bot_token: "${SLACK}"',
        "app_token_file: /run/secrets/app",
        "between: [tg/-1001234567890, spirit/engineering]",
        "chat: team/#ops",
        "role: operate",
        "path: /var/lib/x",
        "listen: 127.0.0.1:8081",
        "url: 'https://example.com/in'",
        "# the end",
        "api_key: ***\n",
    ):
        assert harmless in found.text, harmless


def test_a_secret_from_the_environment_or_a_file_is_masked_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret-of-a-file\n")
    text = (
        "accounts:\n  s: {platform: teamspirit, server: 'http://x', api_key_file: key}\n  t: {platform: telegram, token: '${T}'}\n"
    )
    text += "routes: []  # secret-of-a-file and secret-of-the-environment\n"
    found = shown(tmp_path, text, T="secret-of-the-environment")
    assert "routes: []  # *** and ***" in found.text


def test_a_file_that_is_no_yaml_is_not_shown(tmp_path: Path) -> None:
    found = shown(tmp_path, "accounts: {tg: {token: 'secret\n")
    assert (found.text, found.why) == ("", "it is no YAML, so nobody can tell what in it is a secret")
    assert "No such file" in show_config(tmp_path / "nothing", {}, PLATFORMS).why


def test_it_is_cut(tmp_path: Path) -> None:
    found = shown(tmp_path, "routes: []\n" + "# line\n" * (MOST_LINES + 5))
    assert (found.is_cut, found.text.count("\n")) == (True, MOST_LINES - 1)


def test_an_alias_is_masked_where_it_stands(tmp_path: Path) -> None:
    text = "accounts:\n  a: {platform: teamspirit, server: 'http://x', api_key: &k hidden-1}\n"
    text += "  b: {platform: teamspirit, server: 'http://y', api_key: *k}\nroutes: []\n"
    found = shown(tmp_path, text)
    assert "hidden" not in found.text
    assert found.text.count("\n") == 3


@pytest.mark.parametrize(
    "comment",
    [
        "# token: |\n#   hidden-1\n#\n#   hidden-2\n\n#     hidden-3",
        "#token: >-\n#  hidden-1\n#platform: webhook",
        "# token:\n#   hidden-1",
        "# 'token':  # of the old bot\n#   hidden-1",
        "# token: hidden-1\n#   hidden-2",
        "# tokens:\n# - hidden-1\n# - hidden-2",
        "# - token: |\n#     hidden-1",
        "#   bot: {token:\n#     hidden-1}",
        "## token: |\n##   hidden-1",
        "# # token: |\n# #   hidden-1",
        "x-a: 1  # token: |\n         #   hidden-1",
        "# token: |\n      #   hidden-1",
    ],
)
def test_a_secret_below_its_key_in_comments_is_masked(tmp_path: Path, comment: str) -> None:
    text = f"{comment}\n# server: shown-1\nroutes: []\n#   shown-2\n"
    found = shown(tmp_path, text)
    assert "hidden" not in found.text, found.text
    assert "shown-1" in found.text
    assert "shown-2" in found.text
    assert found.text.count("\n") == text.rstrip("\n").count("\n"), "each line keeps its number"


def test_what_stands_beside_a_secret_in_comments_is_shown(tmp_path: Path) -> None:
    found = shown(tmp_path, "#spirit:\n#  api_key: hidden\n#  server: shown-1\n#  rooms:\n#    - shown-2\nroutes: []\n")
    assert "hidden" not in found.text
    assert "shown-1" in found.text
    assert "shown-2" in found.text
