#!/bin/sh
# Makes .venv from the hash-locked files, with this project in it.
#   venv.sh runtime    what running it needs         venv.sh test    what working on it needs (contains the former)
# uv where it is present, else venv and pip. Nothing is done when the locks have not changed since last time.
set -eu

cd "$(dirname "$0")/../.."
profile=${1:?"say runtime or test"}

fingerprint() { cat pyproject.toml "$@" | cksum; }
test_print=$(fingerprint requirements-test.txt)
runtime_print=$(fingerprint requirements.txt requirements-build.txt)
made_from() { cat ".venv/.made-from-$1" 2>/dev/null || true; }

[ "$(made_from test)" = "$test_print" ] && exit 0
[ "$profile" = runtime ] && [ "$(made_from runtime)" = "$runtime_print" ] && exit 0

have_uv() { command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; }

find_python() {
    for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "setup: no Python 3.11 or newer (tried ${PYTHON:+$PYTHON, }python3.11 to python3.14, python3)." >&2
    echo "       Debian 12: apt-get install python3 python3-venv; or name one: make setup PYTHON=/path/to/python" >&2
    exit 1
}

if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    if have_uv; then
        uv venv -q --python "$python" .venv
    elif "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv .venv
    else
        echo "setup: $python cannot make virtual environments; Debian: apt-get install python3-venv; or install uv." >&2
        exit 1
    fi
    echo "setup: made .venv with $(.venv/bin/python --version)" >&2
fi

install() {
    if have_uv; then
        uv pip install -q --python .venv/bin/python "$@"
        return
    fi
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
    .venv/bin/python -m pip install -q --disable-pip-version-check "$@"
}

echo "setup: installing the locked packages ($profile)" >&2
case $profile in
    test) install --require-hashes -r requirements-test.txt ;;
    runtime) install --require-hashes -r requirements.txt -r requirements-build.txt ;;
    *) echo "setup: '$profile' is neither runtime nor test" >&2; exit 2 ;;
esac
# The build tool comes from the lock as well, so nothing unlocked is fetched to install the project itself.
install --no-deps --no-build-isolation -e .

rm -f .venv/.made-from-runtime .venv/.made-from-test
if [ "$profile" = test ]; then echo "$test_print"; else echo "$runtime_print"; fi >".venv/.made-from-$profile"
