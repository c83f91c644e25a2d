"""The foreign parsers that run in Node: one process for a whole session, asked in JSON lines."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from tests.support.programs import NODE, ROOT

PROGRAM = ROOT / "tests" / "node" / "parsers.mjs"


def why_not() -> str:
    """Why they cannot be asked here; empty if they can."""
    if shutil.which("node") is None or not (NODE / "asked").exists():
        return "Node or its packages are missing: scripts/setup.sh test"
    if (NODE / "package.json").read_bytes() != (ROOT / "tests" / "node" / "package.json").read_bytes():
        return "Node's packages are those of another version of this clone: scripts/setup.sh test"
    return ""


class NodeParsers:
    """Raises ParserFailed for what a parser does not read."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", str(PROGRAM)], cwd=NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def __call__(self, parser: str, given: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"parser": parser, "given": given}).encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or b'{"error": "node has ended"}')
        if "error" in answer:
            raise ParserFailed(f"{parser}: {answer['error']}")
        return answer["read"]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()


class ParserFailed(Exception):
    """The parser ended in an error of its own."""
