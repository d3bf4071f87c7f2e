#!/bin/sh
# Make or bring up to date the virtual environment in $1 (default .venv), with this package editable in it.
# It sees the distribution's PyGObject, which is why it stands on the distribution's Python.
set -eu
cd "$(dirname "$0")/.."
venv=${1:-.venv}
python=/usr/bin/python3

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
    echo "$python is older than 3.10: Headrace needs Debian 12, Ubuntu 22.04 or later" >&2
    exit 1
}
# Made anew after an upgrade of the system's Python: its packages lie in a folder named after the version.
version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
[ -d "$venv/lib/$version/site-packages" ] || "$python" -m venv --clear --system-site-packages "$venv"

pip() { "$venv/bin/python" -m pip --disable-pip-version-check install --quiet --only-binary :all: "$@"; }
pip -r requirements/dev.txt
"$venv/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
