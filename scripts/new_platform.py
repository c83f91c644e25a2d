"""Writes the skeleton of an adapter: `make new-platform NAME=matrix`. Which files there are is what `skeleton/` holds, and a
quality.yaml with every rule of `adapters/quality_rules.yaml` to do.

The conformance suite is red until all of it is filled, and names what is missing. Nothing that is there is written over.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Template

import yaml

ROOT = Path(__file__).parents[1]
SKELETON = Path(__file__).parent / "skeleton"
RULES = ROOT / "adapters" / "quality_rules.yaml"
_NAME = re.compile(r"[a-z][a-z0-9]{1,30}")
_ENDING = ".in"


def files(platform: str, package: str) -> Iterator[tuple[Path, str]]:
    """The files of an adapter, by their place within its package."""
    words = {"platform": platform, "package": package, "title": platform.capitalize(), "class_name": platform.capitalize()}
    for path in sorted(SKELETON.rglob(f"*{_ENDING}")):
        place = path.relative_to(SKELETON)
        yield place.with_name(place.name.removesuffix(_ENDING)), Template(path.read_text(encoding="utf-8")).substitute(words)
    yield Path("quality.yaml"), quality()


def quality() -> str:
    """Every rule, with what it means, as not kept yet."""
    rules: dict[str, str] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    entries = [f'# {meaning}\n{rule}: {{status: todo, why: "the skeleton is not filled yet"}}\n' for rule, meaning in rules.items()]
    return "# `done`, or {status: todo|exempt, why: ...}; tests/layout/test_quality.py reads it.\n" + "".join(entries)


def write(platform: str, package: str, folder: Path) -> list[Path]:
    """Write them into the package's folder. Raises ValueError for a name that is none, FileExistsError where there is something."""
    if not _NAME.fullmatch(platform):
        raise ValueError(f"{platform!r} is no name of a platform: small letters and digits, such as matrix")
    folder.mkdir(parents=True)
    written = []
    for place, text in files(platform, package):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the skeleton of an adapter into adapters/NAME.")
    parser.add_argument("name")
    name = parser.parse_args().name
    try:
        written = write(name, f"adapters.{name}", ROOT / "adapters" / name)
    except (ValueError, FileExistsError) as error:
        print(f"new-platform: {error}", file=sys.stderr)
        return 1
    for path in written:
        print(path.relative_to(ROOT))
    print(
        f"""
Next, as docs/adding-a-platform.md tells:
  adapters/registry.py          add  "{name}": "adapters.{name}",  to the table
  tests/conformance/cases.py    add  "{name}": adapters.{name}.conformance.CASE
  pyproject.toml                add  adapters.{name}  to the contracts of import-linter that name the adapters
  .venv/bin/pytest --platform {name} tests/conformance     says what is missing"""
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
