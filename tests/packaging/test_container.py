"""The container's files: what they promise, and that what they name is there. test_container_built.py
builds and runs them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile, without comments, each on one line."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(name.upper(), rest) for line in lines if line.strip() for name, _, rest in [line.strip().partition(" ")]]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    begin = max(index for index, (name, _) in enumerate(found) if name == "FROM")
    return found[begin:]


def test_every_instruction_is_one() -> None:
    known = {"FROM", "ARG", "WORKDIR", "RUN", "COPY", "LABEL", "ENV", "USER", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "CMD"}
    assert {name for name, _ in instructions()} == known


def test_what_is_copied_is_there_and_goes_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = [rest.split() for name, rest in instructions() if name == "COPY" and not rest.startswith("--from")]
    sources = {source for words in copied for source in words[:-1]}
    assert len(sources) > 10
    assert sources == sent
    assert all((ROOT / source).exists() for source in sources)


def test_it_is_small_and_runs_without_rights() -> None:
    stage = dict(last_stage())
    assert stage["FROM"].endswith("-slim-bookworm")
    assert stage["USER"] == "10001:10001"
    names = [name for name, _ in last_stage()]
    assert names.index("USER") < names.index("CMD")
    assert json.loads(stage["CMD"]) == ["messenger-bridge", "run"], "the process itself gets the signals, no shell"
    assert "pip uninstall" in " ".join(rest for _, rest in instructions())


def test_no_secret_can_get_into_a_layer() -> None:
    words = " ".join(rest for name, rest in instructions() if name in ("ARG", "ENV", "COPY")).upper()
    assert not re.search("TOKEN|PASSWORD|SECRET|TOKENS.ENV|API_KEY", words)


def test_its_health_check_asks_what_the_bridge_answers() -> None:
    check = dict(last_stage())["HEALTHCHECK"]
    command = json.loads(check[check.index("CMD ") + 4 :])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "health check", "exec")
    assert "http://127.0.0.1:8081/livez" in command[2]
    admin = (ROOT / "bridge" / "web" / "admin.py").read_text(encoding="utf-8")
    assert '"/livez"' in admin


def test_every_package_is_checked_by_its_hash() -> None:
    installs = [rest for name, rest in instructions() if name == "RUN" and "pip install" in rest]
    assert installs
    for one in re.findall(r"pip install [^&|;]*", " ".join(installs)):
        assert "--require-hashes" in one or "--no-deps" in one or "-c constraints-test.txt" in one


def test_compose_is_as_narrow_as_the_unit() -> None:
    document: Any = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    service = document["services"]["bridge"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert int(service["stop_grace_period"].removesuffix("s")) > 20, "longer than shutdown.drain_s"
    assert "privileged" not in service
    assert [volume.rpartition(":")[2] for volume in service["volumes"] if volume.startswith("./")] == ["ro"]
    assert set(service["secrets"]) == set(document["secrets"])
    for name in service["secrets"]:
        assert service["environment"]["MESSENGER_BRIDGE_ENV_FILE"] == f"/run/secrets/{name}"
