#!/bin/sh
# Rewrite uv.lock and requirements/dev.txt from pyproject.toml. Needs uv (pipx install uv).
# Only the public index goes into the lock, whatever this machine's own settings are.
set -eu
cd "$(dirname "$0")/.."

uv() { env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS uv --no-config "$@"; }

uv lock --python /usr/bin/python3 "$@"
{
    echo "# Made by scripts/lock.sh from uv.lock: what development and CI install. Do not edit."
    uv export --frozen --quiet --no-hashes --no-emit-project --no-annotate --no-header
} > requirements/dev.txt.new
mv requirements/dev.txt.new requirements/dev.txt
