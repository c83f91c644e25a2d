"""What a process that decodes a stranger's file can still do when it is sealed: attacked from within, in real processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.confined import LANDLOCK_ALONE, NO_NEW_PRIVILEGES, SEAL, SECCOMP_ALONE, outcomes, restricts, told
from tests.support.network import free_port


@pytest.fixture
def token(tmp_path: Path) -> Path:
    made = tmp_path / "token"
    made.write_text("secret")
    return made


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Ways out of the process that are open to everybody else: expressions."""
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as local, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        local.bind(str(tmp_path / "door"))
        local.listen()
        udp.bind(("127.0.0.1", 0))
        yield {
            "TCP": f"socket.create_connection({tcp.getsockname()!r}, timeout=5)",
            "UNIX": f"socket.socket(socket.AF_UNIX).connect({str(tmp_path / 'door')!r})",
            "UDP": f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', {udp.getsockname()!r})",
            "listen": f"socket.create_server(('127.0.0.1', {free_port()}))",
        }


def on_files(token: Path) -> dict[str, str]:
    beside = str(token.parent)
    return {
        "read": f"open({str(token)!r}).read()",
        "list": f"os.listdir({beside!r})",
        "write": f"open({beside + '/beside'!r}, 'wb')",
        "empty": f"os.truncate({str(token)!r}, 0)",
        "rename": f"os.rename({str(token)!r}, {beside + '/renamed'!r})",
        "link": f"os.link({str(token)!r}, {beside + '/linked'!r})",
        "folder": f"os.mkdir({beside + '/folder'!r})",
        "remove": f"os.unlink({str(token)!r})",
    }


def on_processes() -> dict[str, str]:
    unshare = "ctypes.CDLL(None, use_errno=True).unshare(0x10000000)"
    return {
        "signal": f"os.kill({os.getpid()}, 0)",
        "limit": f"__import__('resource').prlimit({os.getpid()}, __import__('resource').RLIMIT_NOFILE)",
        "fork": "os._exit(0) if os.fork() == 0 else None",
        "run": "os.execv('/bin/true', ['true'])",
        "namespace": f"{unshare} and (_ for _ in ()).throw(OSError(ctypes.get_errno(), ''))",
    }


def needs(before: str, name: str) -> None:
    if not restricts(before):
        pytest.skip(f"this system has no {name} for processes of its users")


def test_a_sealed_process_has_its_file_and_its_pipe_alone(token: Path, doors: dict[str, str]) -> None:
    needs(SECCOMP_ALONE, "seccomp")
    acts = {**on_files(token), **doors, **on_processes()}
    found = outcomes(acts)
    assert {name for name, became in found.items() if became == "done"} == set(), found
    assert token.read_text() == "secret"
    assert sorted(path.name for path in token.parent.iterdir()) == ["door", "token"]
    assert told("tell(sys.stdin.read())", input_path=token) == "secret"


def test_an_unsealed_process_can_do_all_that(token: Path, doors: dict[str, str]) -> None:
    """The attempts are real ones: but for `run`, which would replace the process."""
    acts = {**doors, **{name: act for name, act in on_processes().items() if name not in ("run", "namespace")}}
    assert outcomes(acts, before="") == dict.fromkeys(acts, "done")
    for name, act in on_files(token).items():
        token.write_text("secret")
        assert outcomes({name: act}, before="") == {name: "done"}


def test_landlock_alone_keeps_files_and_connections(token: Path, doors: dict[str, str]) -> None:
    needs(LANDLOCK_ALONE, "Landlock")
    version = told("tell(landlock.restrict())", before=NO_NEW_PRIVILEGES)
    acts = {name: act for name, act in on_files(token).items() if name != "empty" or version >= 3}
    found = outcomes(acts, before=LANDLOCK_ALONE)
    assert set(found.values()) <= {"EACCES", "EXDEV"}, found
    assert token.read_text() == "secret"
    if version >= 4:
        assert outcomes(doors, before=LANDLOCK_ALONE)["TCP"] == "EACCES"


def test_seccomp_alone_keeps_everything(token: Path, doors: dict[str, str]) -> None:
    needs(SECCOMP_ALONE, "seccomp")
    acts = {**on_files(token), **doors, **on_processes()}
    assert set(outcomes(acts, before=SECCOMP_ALONE).values()) == {"ENOSYS"}


def test_a_sealed_process_computes_and_has_threads(token: Path) -> None:
    code = """
found = []
thread = threading.Thread(target=lambda: found.append(len(bytearray(50_000_000))))
thread.start()
thread.join()
tell(found)
"""
    assert told(code) == [50_000_000]


def test_what_a_thread_does_is_sealed_too() -> None:
    """Also of a thread that runs already."""
    needs(SECCOMP_ALONE, "seccomp")
    before = """
go_on, found = threading.Event(), []
thread = threading.Thread(target=lambda: (go_on.wait(), found.append(outcome(lambda: socket.socket()))))
thread.start()
"""
    assert told("go_on.set()\nthread.join()\ntell(found)", before=before + SEAL) == ["ENOSYS"]


def test_what_is_in_force_is_told() -> None:
    found = told("tell(guards.facts())")
    assert set(found) == {"network", "files", "missing"}
    known = {"seccomp", "Landlock", "namespaces"}
    named = {name.removesuffix(" (TCP)") for name in (*found["network"], *found["files"])}
    assert named | set(found["missing"]) == known
    assert not named & set(found["missing"])


def test_a_kernel_without_them_is_told_and_the_rest_holds(token: Path) -> None:
    """System calls that no kernel has stand for those that this one has not."""
    nothing = "landlock._CREATE_RULESET = 9999\nsystem_calls.MACHINES = {}\n"
    found = told("tell(guards.facts())", before=nothing + SEAL)
    assert found["missing"]["Landlock"] == "not in this kernel"
    assert "are not known for" in found["missing"]["seccomp"]
    assert found["files"] == []
    assert set(found["network"]) <= {"namespaces"}
    found = told(
        "tell([guards.facts(), outcome(lambda: open('/etc/hostname'))])", before="landlock._CREATE_RULESET = 9999\n" + SEAL
    )
    assert (found[0]["files"], found[1]) == (["seccomp"], "ENOSYS")


def test_without_ctypes_it_is_told() -> None:
    """As where no memory may be written and run."""
    before = (
        "for name in ('ctypes', 'bridge.files.decoding.landlock', 'bridge.files.decoding.system_calls'): sys.modules[name] = None\n"
    )
    removed = "import bridge.files.decoding as package\ndel package.landlock, package.system_calls\n"
    found = told("tell(guards.facts())", before=before + removed + SEAL)
    assert set(found["missing"]) == {"seccomp", "Landlock", "namespaces"}
