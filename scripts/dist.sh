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
print(build_meta.build_sdist(sys.argv[1]))
print(build_meta.build_wheel(sys.argv[1]))' "$out" >/dev/null
)
ls "$out"
