"""`messenger-bridge import`: a configuration with every setting of matterbridge's reference becomes one that passes `check`."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
import yaml

from tests.bridge.cli.conftest import Cli

SAMPLE = Path(__file__).with_name("matterbridge.toml")
SECRETS = ("12345:AAAbbbccc", "xoxb-1-2", "xoxp-1", "xapp-1", "MTk4")
MISSING = {"SLACK_BOT_TOKEN": "xoxb-2", "SLACK_APP_TOKEN": "xapp-2", "MATTERMOST_TOKEN": "m"}
"""What the notes ask an admin for."""


@pytest.fixture
def sample(folder: Path) -> Path:
    return Path(shutil.copy(SAMPLE, folder / "matterbridge.toml"))


def test_what_is_printed_passes_the_check(cli: Cli, folder: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = cli("import", str(sample), "--secrets", "tokens.env")
    assert done.code == 0
    assert not [secret for secret in SECRETS if secret in done.out + done.err]
    config = yaml.safe_load(done.out)
    assert list(config["accounts"]) == ["telegram-main", "work", "discord-main", "old", "rocket", "team", "local"]
    assert [route["name"] for route in config["routes"]] == ["gateway1", "gateway1-out", "gateway1-in", "same-a", "same-b"]
    spoken = {"platform": "webhook", "style": "matterbridge", "buffer": 1000, "ends": {"gateway1": {}}}
    assert spoken.items() <= config["accounts"]["local"].items()
    assert config["routes"][1]["to"] == ["local/gateway1"]
    public = "web: {public: {listen: '127.0.0.1:8080', url: 'https://bridge.example.com'}}\n"
    (folder / "bridge.yaml").write_text(done.out + public)
    env = folder / "tokens.env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    for line in env.read_text().splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value.strip('"'))
    for name, value in MISSING.items():
        monkeypatch.setenv(name, value)
    checked = cli("check")
    assert checked.code == 0, checked.err


def test_each_setting_without_a_counterpart_is_told(cli: Cli, sample: Path) -> None:
    told = cli("import", str(sample)).err
    keys = ["irc.libera", "tengo.InMessage", "gateway off", "SkipTLSVerify", "MessageFormat", "UseInsecureURL", "AllowMention"]
    keys += [
        "MediaServerUpload",
        "TengoModifyMessage",
        "StripNick",
        "ExtractNicks",
        "CustomStatus",
        "LogFile",
        "Password",
    ]
    assert not [key for key in keys if key not in told]
    assert "7 accounts, 5 routes" in told
    assert "--secrets FILE writes MATTERBRIDGE_TELEGRAM_MAIN_TOKEN" in told


def test_an_existing_file_of_secrets_is_never_touched(cli: Cli, folder: Path, sample: Path) -> None:
    (folder / "tokens.env").write_text("mine")
    done = cli("import", str(sample), "--secrets", "tokens.env")
    assert done.code == 1
    assert "exists already" in done.err
    assert done.out == ""
    assert (folder / "tokens.env").read_text() == "mine"


def test_what_is_no_configuration_is_a_line(cli: Cli, folder: Path) -> None:
    (folder / "broken.toml").write_text("[slack\n")
    done = cli("import", "broken.toml")
    assert done.code == 78
    assert "broken.toml: Expected" in done.err
    assert "Traceback" not in done.err
