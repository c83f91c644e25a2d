"""The arrows between modules, as pyproject.toml states them for import-linter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]


def test_import_contracts_hold() -> None:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_heavy_import_before_it_is_needed() -> None:
    """What the daemon keeps in memory for months is what its modules import."""
    code = (
        "import sys; import bridge; assert len([m for m in sys.modules if m.startswith('bridge')]) == 1; "
        "import bridge.observability.logs, bridge.daemon, adapters.registry; "
        "[adapters.registry.load_platform(p) for p in adapters.registry.platforms()]; "
        "heavy = {'aiogram', 'slack_sdk', 'discord', 'rich', 'typer', 'prometheus_client', 'PIL'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
