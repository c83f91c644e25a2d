#!/bin/sh
# Renews the pinned versions and their hashes: constraints.txt, constraints-test.txt, the requirements of nextcord's environment, and
# (where npm is) those of Node in tests/node.
# `constraints.sh` takes the newest versions that pyproject.toml admits; `constraints.sh NAME ...` renews those packages alone, and adds what
# pyproject.toml asks for since. uv does the work, in an environment of its own.
set -eu
cd "$(dirname "$0")/.."
nextcord=tests/adapters/discord/nextcord

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
python=${PYTHON:-.venv/bin/python}
[ -x "$python" ] || python=python3
"$python" -m venv "$work/uv"
"$work/uv/bin/python" -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"

upgrade="--upgrade"
if [ $# -gt 0 ]; then
    upgrade=""
    for name in "$@"; do upgrade="$upgrade --upgrade-package $name"; done
fi

# compile FILE WHAT [ARGUMENT ...]: the versions that FILE has are kept where they are not to be upgraded
compile() {
    file=$1 what=$2
    shift 2
    cp "$file" "$work/pinned.txt" 2>/dev/null || : > "$work/pinned.txt"
    # shellcheck disable=SC2086 # one word an argument
    "$work/uv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        $upgrade "$@" -o "$work/pinned.txt"
    {
        echo "# $what"
        echo "# Made by \`make constraints\`; do not edit. The hashes are those of every file that the package index has of a version: all"
        echo "# systems, Python 3.11 and newer, wheels and sources. Not covered: what builds a package that comes as source alone."
        cat "$work/pinned.txt"
    } > "$work/new.txt"
    cat "$work/new.txt" > "$file"
}

compile constraints.txt "What the bridge runs with." pyproject.toml

# the checks' own packages, beside those of the bridge
pinned=$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package \1/p' constraints.txt)
# shellcheck disable=SC2086
compile constraints-test.txt "What the checks need besides constraints.txt." --extra test --extra media --extra ops --extra otel -c constraints.txt $pinned pyproject.toml

compile "$nextcord/requirements.txt" "nextcord and what it needs, for an environment of its own." -c constraints.txt "$nextcord/requirements.in"

if command -v npm >/dev/null 2>&1; then
    [ $# -gt 0 ] || rm -f tests/node/package-lock.json
    (cd tests/node && npm install --package-lock-only --silent)
fi
