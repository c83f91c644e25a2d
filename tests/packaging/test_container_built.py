"""The Dockerfile as it is, built and run: what docs/containers.md says of it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.packaging.containers import UID, Builder, NotHere, inside, started, why_not
from tests.support.patience import PATIENCE_S, eventually

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")]
CONFIG = """\
accounts:
  spirit: {platform: teamspirit, server: 'http://127.0.0.1:9', api_key: "${SPIRIT_KEY}"}
  other: {platform: teamspirit, server: 'http://127.0.0.1:9/b', api_key: "${OTHER_KEY}"}
routes:
  - {name: lobby, between: [spirit/lobby, other/lobby]}
web:
  admin: {listen: 127.0.0.1:8081}
"""


@pytest.mark.timeout(3600)  # a whole system is installed, beside whatever the machine does
async def test_the_image_is_built_and_runs_as_narrow_as_compose_says(tmp_path: Path) -> None:
    with Builder(tmp_path) as builder:
        try:
            builder.fetch()
        except NotHere as error:
            pytest.skip(str(error))
        container, root = builder.build()
        config: dict[str, Any] = json.loads(builder.inspect(container))["Docker"]["config"]
        state_folder = (root / "var/lib/messenger-bridge").stat()
        assert (state_folder.st_uid, state_folder.st_gid, state_folder.st_mode & 0o777) == (int(UID), int(UID), 0o700)
        assert not list((root / "var/lib/messenger-bridge").iterdir())
        assert not list((root / "opt/messenger-bridge").glob(".venv/lib/python*/site-packages/pip*"))
        await it_runs(root, config, tmp_path)


async def it_runs(root: Path, config: dict[str, Any], folder: Path) -> None:
    state, log = folder / "state", folder / "log"
    state.mkdir(mode=0o700)
    bridge_yaml, tokens = folder / "bridge.yaml", folder / "tokens.env"
    bridge_yaml.write_text(CONFIG)
    tokens.write_text("SPIRIT_KEY=a-key-of-the-file\nOTHER_KEY=another-key-of-the-file\n")
    tokens.chmod(0o600)
    for path in (state, tokens):
        os.chown(path, int(UID), int(UID))
    environ = dict(one.split("=", 1) for one in config["Env"]) | {"MESSENGER_BRIDGE_ENV_FILE": "/run/secrets/tokens.env"}
    files = {bridge_yaml: environ["MESSENGER_BRIDGE_CONFIG"], tokens: environ["MESSENGER_BRIDGE_ENV_FILE"]}
    with started(root, state, files, environ, config["Cmd"], log) as process:

        def is_healthy() -> bool:
            assert process.status() != psutil.STATUS_ZOMBIE, log.read_text()
            return bool(process.children()) and inside(process, environ, *config["Healthcheck"]["Test"][1:]).returncode == 0

        await eventually(is_healthy)
        (first,) = process.children()
        assert set(first.uids()) == set(first.gids()) == {int(UID)}
        said = inside(process, environ, "messenger-bridge", "--version")
        assert (said.returncode, said.stderr) == (0, "")
        assert inside(process, environ, "sh", "-c", "echo > /etc/written || echo > /opt/written").returncode != 0
        status = inside(process, environ, "messenger-bridge", "status", "--json")
        assert json.loads(status.stdout)["pid"] == 1
        for command in (["check"], ["dead", "list"], ["journal", "backup", "/var/lib/messenger-bridge/backup"]):
            done = inside(process, environ, "messenger-bridge", *command)
            assert done.returncode == 0, done.stdout + done.stderr
        crossed = inside(process, environ, "messenger-bridge", "sandbox", "--self-test")
        assert crossed.returncode == 0, crossed.stdout + crossed.stderr
        first.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 0, log.read_text()
    assert {path.name for path in state.iterdir()} >= {"messenger-bridge.journal", "backup"}
