"""The process's first and last moment, tried with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

_CLOSED = """
import os, sys
for number in {closed}:
    os.close(number)
os.execv(sys.executable, [sys.executable, "-c", {code!r}])
"""


def with_closed(closed: tuple[int, ...], code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in an interpreter that was started without these descriptors."""
    starter = _CLOSED.format(closed=closed, code=code)
    return subprocess.run(
        [sys.executable, "-c", starter], cwd=ROOT, input="", capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
def test_closed_standard_streams_lead_nowhere(closed: tuple[int, ...], tmp_path: Path) -> None:
    told = tmp_path / "told"
    code = (
        "import os, sys; from bridge.process import open_standard_streams; open_standard_streams(); "
        "null = os.stat(os.devnull).st_rdev; "
        f"ours = [number for number in range(3) if os.fstat(number).st_rdev == null]; "
        "print('out'); print('err', file=sys.stderr); sys.stdin.read(0); "
        f"later = os.open({str(told)!r}, os.O_WRONLY | os.O_CREAT); os.write(later, repr((ours, later > 2)).encode())"
    )
    done = with_closed(closed, code)
    assert done.returncode == 0, done.stderr
    assert told.read_text() == repr((list(closed), True))


def test_streams_that_are_there_are_left_alone() -> None:
    code = "from bridge.process import open_standard_streams; open_standard_streams(); print('still here')"
    done = with_closed((), code)
    assert done.stdout == "still here\n"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_before_anybody_listens_is_remembered(number: signal.Signals) -> None:
    code = (
        "import os, signal; from bridge.process import came_early, hold_signals; hold_signals(); "
        f"before = came_early({int(number)}); os.kill(os.getpid(), {int(number)}); print(before, came_early({int(number)}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (0, "False True\n"), done.stderr


def test_an_early_end_is_an_orderly_end() -> None:
    code = (
        "import os, signal; from bridge.process import hold_signals; hold_signals(); os.kill(os.getpid(), signal.SIGTERM); print(1)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_what_is_held_is_held_by_no_child() -> None:
    show = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_DFL, signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    run = f"subprocess.run([sys.executable, '-c', {show!r}])"
    code = f"import subprocess, sys; from bridge.process import hold_signals; hold_signals(); {run}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.stdout == "True set()\n", done.stderr


def test_a_reload_that_comes_too_late_is_no_failure() -> None:
    code = (
        "import os, signal; from bridge.process import past_signals; past_signals(); os.kill(os.getpid(), signal.SIGHUP); print(1)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_both_are_the_first_thing_the_command_does(tmp_path: Path) -> None:
    """With all descriptors closed the command still ends with its own exit code."""
    missing = str(tmp_path / "none.yaml")
    code = f"import sys; sys.argv = ['messenger-bridge', 'run', '-c', {missing!r}]; from bridge.cli import main; main()"
    assert with_closed((0, 1, 2), code).returncode == 78
    assert os.listdir(tmp_path) == []
