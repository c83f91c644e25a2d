"""Each adapter says of every rule of `adapters/quality_rules.yaml` whether it is kept, in its `quality.yaml`. Where a program can
look, what is said to be done is looked at."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import SecretStr

from adapters.registry import load_manifest, load_platform, platforms

ROOT = Path(__file__).parents[2]
RULES: dict[str, str] = yaml.safe_load((ROOT / "adapters/quality_rules.yaml").read_text(encoding="utf-8"))
WITHOUT_YET: frozenset[str] = frozenset()
"""Adapters that have no quality.yaml yet. May only shrink."""


class Package:
    """One adapter's files, as far as the checks look at them."""

    def __init__(self, platform: str, root: Path = ROOT) -> None:
        self.platform = platform
        self.folder = root / "adapters" / platform
        self.tests = root / "tests"

    def modules(self) -> Iterator[tuple[Path, ast.Module]]:
        """All but the emulator's."""
        for path in sorted(self.folder.rglob("*.py")):
            if "emulator" not in path.relative_to(self.folder).parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))

    def calls(self, name: str) -> bool:
        """Whether a function, a method or a keyword of this name is used anywhere."""
        return any(
            name == getattr(node, "attr", getattr(node, "id", getattr(node, "arg", "")))
            for _, tree in self.modules()
            for node in ast.walk(tree)
            if not isinstance(node, ast.arg)
        )

    def has_method(self, name: str) -> bool:
        """Of the adapter, or of what it is made of where that depends on the account."""
        paths = [path for path in (self.folder / "adapter.py", self.folder / "abilities.py") if path.is_file()]
        nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
        return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name for node in nodes)


def manifest_only(package: Package) -> Iterator[str]:
    for node in ast.parse((package.folder / "__init__.py").read_text(encoding="utf-8")).body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        targets = node.targets if isinstance(node, ast.Assign) else []
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if not (is_text or isinstance(node, ast.Import | ast.ImportFrom) or names == ["MANIFEST"]):
            yield f"__init__.py:{node.lineno} is no part of MANIFEST"


def strict_options(package: Package) -> Iterator[str]:
    if load_platform(package.platform).options().model_config.get("extra") != "forbid":
        yield "Options takes unknown keys"


def secret_strings(package: Package) -> Iterator[str]:
    for name, field in load_platform(package.platform).options().model_fields.items():
        is_secret = any(word in name.split("_") for word in ("token", "secret", "key", "password"))
        kinds = (field.annotation, *get_args(field.annotation))
        if is_secret and str in kinds and SecretStr not in kinds:
            yield f"option {name} is a plain string"


def no_address_in_code(package: Package) -> Iterator[str]:
    for path, tree in package.modules():
        if path.name not in ("transport.py", "uploads.py", "downloads.py", "adapter.py", "directory.py", "sender.py"):
            continue
        texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            is_url = isinstance(node, ast.Constant) and str(node.value).startswith(("http://", "https://", "wss://"))
            if is_url and id(node) not in texts:
                yield f"{path.name}:{getattr(node, 'lineno', 0)} has an address"


def sources(package: Package) -> Iterator[str]:
    if "source" not in (package.folder / "capabilities.py").read_text(encoding="utf-8").lower():
        yield "capabilities.py names no source"


def independent_clients(package: Package) -> Iterator[str]:
    folder = package.tests / "adapters" / package.platform
    if not any((*folder.rglob("test_emulator*.py"), *folder.rglob("emulator/test_*_clients.py"))):
        yield f"tests/adapters/{package.platform} has no test_emulator_clients.py or emulator/test_*_clients.py"


def corpus(package: Package) -> Iterator[str]:
    if not any((package.tests / "corpus" / package.platform).glob("*")):
        yield f"tests/corpus/{package.platform} is empty"


def documented(package: Package) -> Iterator[str]:
    text = (package.folder / "README.md").read_text(encoding="utf-8")
    for name in load_platform(package.platform).options().model_fields:
        if f"`{name}`" not in text and f"{name}:" not in text:
            yield f"README.md does not mention the option {name}"
    if "verified" not in text.lower():
        yield "README.md does not say what was verified"


def uses(name: str) -> Callable[[Package], Iterator[str]]:
    def check(package: Package) -> Iterator[str]:
        if not package.calls(name):
            yield f"nothing uses {name}"

    return check


def has(name: str) -> Callable[[Package], Iterator[str]]:
    def check(package: Package) -> Iterator[str]:
        if not package.has_method(name):
            yield f"the adapter has no method {name}"

    return check


def has_file(name: str) -> Callable[[Package], Iterator[str]]:
    def check(package: Package) -> Iterator[str]:
        if not (package.folder / name).is_file():
            yield f"there is no {name}"

    return check


CHECKS: dict[str, Callable[[Package], Iterator[str]]] = {
    "manifest-is-data": manifest_only,
    "options-strict": strict_options,
    "base-url-from-config": no_address_in_code,
    "secrets-are-secretstr": secret_strings,
    "capabilities-have-sources": sources,
    "effect-said-by-every-call": uses("CREATES"),
    "errors-table-complete": has_file("errors.py"),
    "undecodable-kept": uses("undecodable"),
    "echo-by-token": uses("delivery_id"),
    "reconcile": has("reconcile"),
    "gaps-reported": uses("gap"),
    "chat-moves-reported": uses("chat_moved"),
    "own-names-reported": uses("set_own_names"),
    "look-at-chats": has("look_at"),
    "permalinks": has_file("links.py"),
    "emulator-by-independent-client": independent_clients,
    "corpus": corpus,
    "docs-complete": documented,
}
"""What is found wrong where a rule is said to be kept. The other rules are held by the conformance suite and by people."""


def faults(rules: dict[str, Any], package: Package) -> Iterator[str]:
    """What is wrong with a quality.yaml."""
    yield from (f"rule {name} is missing" for name in RULES if name not in rules)
    for name, said in rules.items():
        if name not in RULES:
            yield f"there is no rule {name}"
        elif said == "done":
            found = CHECKS[name](package) if name in CHECKS else ()
            yield from (f"{name} is not done: {fault}" for fault in found)
        elif not isinstance(said, dict) or set(said) != {"status", "why"} or said["status"] not in ("todo", "exempt"):
            yield f"{name}: say `done`, or {{status: todo|exempt, why: ...}}"
        elif not isinstance(said["why"], str) or len(said["why"].split()) < 3:
            yield f"{name}: {said['status']} needs a reason"


def quality_of(platform: str) -> Path:
    return ROOT / "adapters" / platform / "quality.yaml"


def ours() -> list[str]:
    return [name for name in platforms() if load_manifest(name).package == f"adapters.{name}"]


@pytest.mark.parametrize("platform", [name for name in ours() if name not in WITHOUT_YET])
def test_an_adapter_says_of_every_rule_whether_it_is_kept(platform: str) -> None:
    rules = yaml.safe_load(quality_of(platform).read_text(encoding="utf-8"))
    assert not (found := list(faults(rules, Package(platform)))), f"adapters/{platform}/quality.yaml:\n" + "\n".join(found)
    assert list(rules) == list(RULES), "in the order of quality_rules.yaml"


def test_the_example_says_so_too() -> None:
    """ntfy, a package of its own. What is looked at in an installed platform is left to its own tests."""
    package = Package("ntfy")
    package.folder = ROOT / "examples/ntfy/messenger_bridge_ntfy"
    rules = yaml.safe_load((ROOT / "examples/ntfy/quality.yaml").read_text(encoding="utf-8"))
    assert list(rules) == list(RULES), "in the order of quality_rules.yaml"
    elsewhere = ("options-strict", "secrets-are-secretstr", "emulator-by-independent-client", "docs-complete")
    looked_at = rules | {key: {"status": "exempt", "why": "its own tests look at it"} for key in elsewhere}
    assert list(faults(looked_at, package)) == []


def test_the_adapters_without_it_are_those_that_are_listed() -> None:
    assert {name for name in ours() if not quality_of(name).exists()} == WITHOUT_YET, "take it out of WITHOUT_YET"


def test_rules_have_a_meaning_and_checks_a_rule() -> None:
    assert all(isinstance(text, str) and text.endswith(".") for text in RULES.values())
    assert set(CHECKS) <= set(RULES)


def test_it_tells_what_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "adapters/telegram"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('"""Docs."""\nimport os\nMANIFEST = 1\nOTHER = 2\n')
    (folder / "transport.py").write_text('"""https://is.fine"""\nURL = "https://is.not"\n')
    (folder / "adapter.py").write_text("async def look_at(intake):\n    intake.gap()\n")
    (folder / "capabilities.py").write_text("X = 1\n")
    (folder / "README.md").write_text("`token`\n")
    package = Package("telegram", tmp_path)
    every: dict[str, Any] = {name: {"status": "exempt", "why": "there is no such thing"} for name in RULES}
    assert list(faults(every, package)) == []
    wrong = every | {
        "manifest-is-data": "done",
        "base-url-from-config": "done",
        "capabilities-have-sources": "done",
        "gaps-reported": "done",
        "look-at-chats": "done",
        "reconcile": "done",
        "permalinks": "done",
        "corpus": "done",
        "streamed-files": {"status": "todo", "why": ""},
        "catch-up": "yes",
        "unheard-of": "done",
    }
    del wrong["roster"]
    assert list(faults(wrong, package)) == [
        "rule roster is missing",
        "manifest-is-data is not done: __init__.py:4 is no part of MANIFEST",
        "base-url-from-config is not done: transport.py:2 has an address",
        "capabilities-have-sources is not done: capabilities.py names no source",
        "streamed-files: todo needs a reason",
        "reconcile is not done: the adapter has no method reconcile",
        "catch-up: say `done`, or {status: todo|exempt, why: ...}",
        "permalinks is not done: there is no links.py",
        "corpus is not done: tests/corpus/telegram is empty",
        "there is no rule unheard-of",
    ]
    assert "README.md does not say what was verified" in list(documented(package))
