#!/bin/sh
# Installs the real programs that the tests run against: Mosquitto and Chromium by apt, InfluxDB 2 from source into the user's cache.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

missing=
want() { # program, package
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
want mosquitto mosquitto
want mosquitto_pub mosquitto-clients
want chromium chromium
want pkg-config pkg-config
want cc "gcc libc6-dev"
# without a CJK font 值班室 is empty boxes
[ -n "$(find /usr/share/fonts -name 'wqy-microhei*' 2>/dev/null)" ] || missing="$missing fonts-wqy-microhei"
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"

if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "parts: this system has no apt-get; install by hand:$missing" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "parts: not root; run this first: sudo apt-get install -y$missing" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    # shellcheck disable=SC2086 # a list of package names
    apt-get install -q -y --no-install-recommends $missing
fi

exec sh "$here/influxd/build.sh"
