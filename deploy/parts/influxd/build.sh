#!/bin/sh
# Builds InfluxDB 2.7.12 from its published Go module into the user's cache; does nothing when it is there and answers.
set -eu

version=2.7.12
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dutyroom/influxd-$version

if [ -x "$cache/influxd" ] && "$cache/influxd" version >/dev/null 2>&1; then
    echo "influxd $version: already in $cache" >&2
    exit 0
fi

need() {
    command -v "$1" >/dev/null 2>&1 && return
    echo "influxd: '$1' is not on PATH. $2" >&2
    exit 1
}
need go "InfluxDB is built from Go source: install Go 1.23 or newer, then run this again."
need cargo "InfluxDB's query engine is built from Rust source: install Rust (cargo, rustc), then run this again."
need pkg-config "Install it (Debian: apt-get install pkg-config), then run this again."
need cc "Install a C compiler (Debian: apt-get install gcc libc6-dev), then run this again."

minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
if [ "${minor:-0}" -lt 21 ]; then
    echo "influxd: found $(go env GOVERSION), expected go1.23 (or 1.21 and newer, which fetch it themselves)." >&2
    exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$cache"
cp "$here/rustc-wrapper.sh" "$scratch/rustc-wrapper"
chmod +x "$scratch/rustc-wrapper"

echo "influxd $version: building from source (about 4 minutes on 2 cores, once)" >&2
cd "$here"
# This pkg-config builds the Rust library on the way and asks the system's pkg-config for the rest.
go build -mod=readonly -o "$scratch/pkg-config" github.com/influxdata/pkg-config
# The module pins an old Rust toolchain that cannot be downloaded any more, hence RUSTUP_TOOLCHAIN.
PKG_CONFIG="$scratch/pkg-config" RUSTUP_TOOLCHAIN=stable RUSTC_WRAPPER="$scratch/rustc-wrapper" \
    go build -mod=readonly -ldflags "-X main.version=$version" \
    -o "$cache/influxd.part" github.com/influxdata/influxdb/v2/cmd/influxd
"$cache/influxd.part" version >&2
mv "$cache/influxd.part" "$cache/influxd"
echo "influxd $version: in $cache" >&2
