"""bridge.yaml read in a process of its own: what comes back is what was read, without the models, and failures are told."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from adapters import registry
from bridge.cli import start
from bridge.config.load import load_config
from bridge.config.model import Loaded
from bridge.config.plain_options import Bare, Secret, bare
from bridge.config.reader_process import ConfigReader, Reading, ReadingFailed
from bridge.config.secrets import secrets_of
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.slow

ACCOUNTS = {
    "telegram": "{token: '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw', proxy: 'http://me:a-password@127.0.0.1:9'}",
    "slack": "{bot_token: xoxb-1-2-three, app_token: xapp-1-2-three, replies: quote}",
    "discord": "{token: a.discord.token, webhook_name: relay}",
    "teamspirit": "{server: 'http://127.0.0.1:9', api_key: a-key, overrides: {limits: {text_length: 77}}, chats: {a: {id: b}}}",
}


def write(folder: Path, more: str = "") -> Path:
    lines = [f"  {name}: {{platform: {name}, {options[1:]}" for name, options in ACCOUNTS.items()]
    route = "routes: [{name: one, between: [telegram/-100123, slack/#a, teamspirit/b], filter: [{drop: {text: '^DEBUG'}}]}]"
    path = folder / "bridge.yaml"
    path.write_text("\n".join(["accounts:", *lines, route, more, ""]))
    path.chmod(0o600)
    return path


def reader(path: Path) -> ConfigReader:
    return ConfigReader(path, start.__name__, start.read.__name__)


def same(model: Any, values: Any) -> bool:
    """Whether values are those of a model, at any depth."""
    if isinstance(model, BaseModel):
        names = set(type(model).model_fields)
        return (
            isinstance(values, Bare)
            and names <= set(vars(values))
            and all(same(getattr(model, n), getattr(values, n)) for n in names)
        )
    if hasattr(model, "get_secret_value"):
        return isinstance(values, Secret) and model.get_secret_value() == values.get_secret_value()
    if isinstance(model, dict):
        return model.keys() == values.keys() and all(same(part, values[key]) for key, part in model.items())
    if isinstance(model, tuple | list):
        return len(model) == len(values) and all(map(same, model, values))
    return bool(type(model) is type(values) and model == values)


def test_the_daemon_gets_what_was_read(tmp_path: Path) -> None:
    path = write(tmp_path)
    here = load_config(path, {}, registry.load_platform, registry.platforms())
    reading = reader(path).read()
    there = reading.loaded
    assert here.config is not None
    assert there.config is not None, there.faults
    assert reading.secrets == secrets_of(here.config)
    assert [str(one) for one in there.warnings] == [str(one) for one in here.warnings] != []
    assert (there.config.routes, there.config.people) == (here.config.routes, here.config.people)
    assert (there.config.journal, there.config.web, there.config.log) == (here.config.journal, here.config.web, here.config.log)
    for name, account in here.config.accounts.items():
        other = there.config.accounts[name]
        assert (other.name, other.platform, other.relay) == (account.name, account.platform, account.relay)
        assert same(account.options, other.options), name
    dialect = there.config.accounts[next(name for name in here.config.accounts if name == "teamspirit")].options.read_dialect
    assert dialect.limits.text_length == 77


def test_the_same_file_twice_is_no_change(tmp_path: Path) -> None:
    """A reload restarts accounts whose options differ."""
    again = reader(write(tmp_path))
    first, second = again.read().loaded.config, again.read().loaded.config
    write(tmp_path, "log: {level: debug}").write_text((tmp_path / "bridge.yaml").read_text().replace("webhook_name: relay", ""))
    third = again.read().loaded.config
    assert first is not None
    assert second is not None
    assert third is not None
    assert second.accounts == first.accounts
    assert [name for name in first.accounts if third.accounts[name] != first.accounts[name]] == ["discord"]


@pytest.mark.parametrize("platform", sorted(ACCOUNTS))
def test_platforms_work_on_values_alone(platform: str, tmp_path: Path) -> None:
    config = reader(write(tmp_path)).read().loaded.config
    assert config is not None
    account = next(one for one in config.accounts.values() if one.platform == platform)
    assert isinstance(account.options, Bare)
    assert registry.load_platform(platform).capabilities(account.options).limits.text_length > 0


def test_faults_come_back_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, "jornal: {path: x}")
    here = load_config(path, {}, registry.load_platform, registry.platforms())
    loaded = reader(path).read().loaded
    assert loaded.config is None
    assert [str(one) for one in loaded.faults] == [str(one) for one in here.faults] != []
    assert "jornal" in [fault.key for fault in loaded.faults]


def test_no_secret_is_shown(tmp_path: Path) -> None:
    reading = reader(write(tmp_path)).read()
    assert len(reading.secrets) >= 5
    shown = repr(reading.loaded) + str([vars(one.options) for one in reading.loaded.config.accounts.values()])  # type: ignore[union-attr]
    assert [secret for secret in reading.secrets if secret in shown] == []


def test_values_do_not_change() -> None:
    made = Bare(a=1, inner=Bare(b=(2, 3)))
    copy = pickle.loads(pickle.dumps(made))
    assert copy == made
    assert hash(copy) == hash(made)
    assert made != Bare(a=1, inner=Bare(b=(2, 4)))
    assert dict(made) == {"a": 1, "inner": Bare(b=(2, 3))}
    with pytest.raises(AttributeError):
        made.a = 2
    assert str(Secret("sesame")) + repr(Secret("sesame")) == "**********Secret('**********')"
    assert Secret("sesame") == Secret("sesame") != Secret("open")
    assert bare({"a": [Secret("x")]}) == {"a": [Secret("x")]}


def test_a_reader_that_ends_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ReadingFailed, match="ended with 3"):
        custom(tmp_path, "sys.exit(3)").read()
    with pytest.raises(ReadingFailed, match="ended with -9"):
        custom(tmp_path, "os.kill(os.getpid(), 9)").read()
    with pytest.raises(ReadingFailed, match="no answer"):
        custom(tmp_path, "pass").read()


def custom(folder: Path, code: str) -> ConfigReader:
    """A reader that does something else."""
    name = f"reader_{abs(hash(code))}"
    (folder / f"{name}.py").write_text(f"import os, sys\n\ndef read(path):\n    {code}\n")
    return ConfigReader(folder / "bridge.yaml", name, "read")


@pytest.fixture(autouse=True)
def _importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))


def test_what_is_printed_while_reading_does_not_harm(tmp_path: Path) -> None:
    code = (
        "from bridge.config.reader_process import answer; from bridge.config.model import Loaded; "
        "answer(lambda: (print('hello'), Loaded(None))[1], None)"
    )
    assert custom(tmp_path, code).read() == Reading(Loaded(None), frozenset())


def test_the_daemons_side_imports_nothing_that_reads() -> None:
    code = (
        "import sys, bridge.config.reader_process; sys.exit({'pydantic', 'yaml', 'bridge.config.load'} & set(sys.modules) != set())"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=PATIENCE_S).returncode == 0
