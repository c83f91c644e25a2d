#!/bin/sh
# Builds the wheel and the source package into dist/ (or the folder that is named), with the man page and the completions of this version.
# Nothing of an earlier build is used again.
set -eu
cd "$(dirname "$0")/.."
out=${1:-dist}
mkdir -p "$out"
out=$(cd "$out" && pwd)

rm -rf packaging/generated
.venv/bin/python scripts/manual.py packaging/generated

# in a copy, so that no stale build/ gets into it and nothing is left in the tree
work=$(mktemp -d)
trap 'rm -rf "$work" packaging/generated' EXIT INT TERM
git ls-files -z --cached --others --exclude-standard -- . ':!tests' ':!bench' | tar --null --files-from=- -cf - | tar -xf - -C "$work"
cp -r packaging/generated "$work/packaging/"
(
    cd "$work"
    python=$OLDPWD/.venv/bin/python
    "$python" -m venv --without-pip build-env
    "$python" -m pip --python build-env install --quiet --disable-pip-version-check "setuptools>=69" wheel
    build-env/bin/python -c '
import sys
from setuptools import build_meta
out = sys.argv[1]  # building changes the arguments
build_meta.build_sdist(out)
build_meta.build_wheel(out)' "$out" >/dev/null 2>"$out/build.log" || { cat "$out/build.log" >&2; exit 1; }
)
rm "$out/build.log"
ls "$out"
