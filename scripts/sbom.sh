#!/bin/sh
# Writes which packages the bridge is built of, with their hashes, as CycloneDX: dist/messenger-bridge.cdx.json (or the file that is named).
# cyclonedx-bom does it, in an environment of its own.
set -eu
cd "$(dirname "$0")/.."
out=${1:-dist/messenger-bridge.cdx.json}
mkdir -p "$(dirname "$out")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
.venv/bin/python -m venv --without-pip "$work/env"
.venv/bin/python -m pip --python "$work/env" install --quiet --disable-pip-version-check "cyclonedx-bom>=7,<8"
"$work/env/bin/cyclonedx-py" requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
    --sv 1.6 --of JSON --output-file "$out" constraints.txt
