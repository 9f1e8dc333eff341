#!/bin/sh
# Installs this checkout beside earlier ones and makes it the current one: /opt/dutyroom points to /opt/dutyroom-COMMIT.
#   sh deploy/install.sh [/opt/dutyroom]
# Libraries come from the hash-locked files. To go back, point the link to the earlier folder and restart the service.
set -eu

prefix=${1:-/opt/dutyroom}
cd "$(dirname "$0")/.."
commit=$(git rev-parse --short=12 HEAD)
if [ -n "$(git status --porcelain)" ]; then
    echo "install: this checkout has changes of its own; commit or discard them first (git status)" >&2
    exit 1
fi
if [ -e "$prefix" ] && [ ! -L "$prefix" ]; then
    echo "install: $prefix is there and is no link; name another place: sh deploy/install.sh /opt/other" >&2
    exit 1
fi

sh deploy/parts/venv.sh runtime
sh deploy/parts/assets.sh runtime
python=$PWD/.venv/bin/python
"$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null

target=$prefix-$commit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
pip() { "$python" -m pip -q --disable-pip-version-check "$@"; }

rm -rf "$target"
"$python" -m venv --without-pip "$target"
pip --python "$target/bin/python" install --require-hashes -r requirements.txt
pip wheel --no-deps --no-build-isolation -w "$scratch" .
pip --python "$target/bin/python" install --no-deps "$scratch"/*.whl
"$target/bin/dutyroom" --help >/dev/null

ln -sfn "$target" "$prefix"
echo "install: $prefix is now $target" >&2
