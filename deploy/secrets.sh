#!/bin/sh
# Makes the passwords that compose.yaml asks for, once, under deploy/secrets/ (mode 0700): nothing here has a default.
#   sh deploy/secrets.sh [FOLDER]
# What is there stays as it is. mosquitto_passwd comes from this machine where it is installed, else from the image.
set -eu
umask 077

folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 0700 "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

hashed() { # file, user, password
    if command -v mosquitto_passwd >/dev/null 2>&1; then
        mosquitto_passwd -b -c "$1" "$2" "$3"
    elif command -v docker >/dev/null 2>&1; then
        docker run --rm -v "$(cd "$(dirname "$1")" && pwd):/made" eclipse-mosquitto:2.0.22 \
            mosquitto_passwd -b -c "/made/$(basename "$1")" "$2" "$3"
    else
        echo "secrets: neither mosquitto_passwd nor docker is here; apt-get install mosquitto" >&2
        exit 1
    fi
}

keep() { # name, content: containers read it under users of their own; the folder keeps others on this machine out
    printf '%s\n' "$2" >"$folder/$1"
    chmod 0444 "$folder/$1"
    echo "secrets: made $folder/$1" >&2
}

if [ ! -e "$folder/broker__url" ] || [ ! -e "$folder/mosquitto_passwd" ]; then
    password=$(random)
    rm -f "$folder/mosquitto_passwd"
    hashed "$folder/mosquitto_passwd" dutyroom "$password"
    chmod 0444 "$folder/mosquitto_passwd"
    echo "secrets: made $folder/mosquitto_passwd" >&2
    rm -f "$folder/broker__url"
    keep broker__url "mqtt://dutyroom:$password@broker:1883"
fi
[ -e "$folder/grafana_admin" ] || keep grafana_admin "$(random)"
# Grafana's own token for InfluxDB is made later (docs/guides/operators.md); compose wants the file to be there.
[ -e "$folder/grafana_influx_token" ] || keep grafana_influx_token "not made yet"
