"""Making an InfluxDB 2 ready for us: first set-up, organisation, buckets, and a token that may do no more."""

from __future__ import annotations

import secrets
from dataclasses import replace

import httpx2
import stamina

from history.influxql import InfluxAddress, call, client, query
from history.influxroll import rollup_buckets
from history.influxtrend import rollup_bucket
from history.levels import STEPS
from plant.errors import BadInput, Unavailable

ADMIN = "dutyroom-admin"


def wait_ready(address: InfluxAddress, seconds: float = 60) -> None:
    """Wait until the server says it is well; raises Unavailable when it does not within `seconds`."""
    with client(address) as http:
        for attempt in stamina.retry_context(on=Unavailable, attempts=None, timeout=seconds, wait_max=2):
            with attempt:
                call(http, "GET", "/health")


def is_new(address: InfluxAddress) -> bool:
    """Whether the server has never been set up, and so has no user, organisation or token yet."""
    with client(address) as http:
        return bool(call(http, "GET", "/api/v2/setup").json().get("allowed"))


def first_setup(address: InfluxAddress, *, keep_ms: int = 0) -> None:
    """Set a new server up: user `dutyroom-admin`, organisation, bucket, and the address's token as operator token.

    The user's password is random and kept nowhere; the operator token can give it another. Raises BadInput.
    """
    body = {
        "username": ADMIN,
        "password": secrets.token_urlsafe(24),
        "org": address.org,
        "bucket": address.bucket,
        "token": address.token,
        "retentionPeriodSeconds": keep_ms // 1_000,
    }
    with client(address) as http:
        _made(http, "/api/v2/setup", body)


def prepare(address: InfluxAddress, *, keep_ms: int = 0) -> list[str]:
    """Ensure organisation, bucket and the buckets of rollups, which the service fills; returns what was made.

    The token must be an operator's. `keep_ms` is how long a new raw bucket keeps readings, 0 for ever, as rollups
    are kept. Raises BadInput when the token is refused, NotPermitted where it may not make a bucket, Unavailable.
    """
    made = []
    with client(address) as http:
        if http.get("/api/v2/orgs", params={"limit": 1}).status_code == 401:
            raise BadInput(
                f"InfluxDB at {address.url} refuses the operator token; `influx auth list` shows those it has"
            )
        org = _id_of(http, "orgs", org=address.org)
        if org is None:
            org = str(_made(http, "/api/v2/orgs", {"name": address.org})["id"])
            made.append(f"organisation {address.org}")
        if _id_of(http, "buckets", name=address.bucket, orgID=org) is None:
            rules = [{"type": "expire", "everySeconds": keep_ms // 1_000}] if keep_ms else []
            _made(http, "/api/v2/buckets", {"orgID": org, "name": address.bucket, "retentionRules": rules})
            made.append(f"bucket {address.bucket}")
        made += [f"bucket {name}" for name in rollup_buckets(http, address)]
    return made


def new_token(address: InfluxAddress) -> str:
    """A token that may write and read the bucket and those of its rollups, and nothing else."""
    with client(address) as http:
        org = _found(http, "orgs", org=address.org)
        buckets = [_found(http, "buckets", name=name, orgID=org) for name in _names(address)]
        may = [(action, bucket) for bucket in buckets for action in ("write", "read")]
        body: dict[str, object] = {
            "orgID": org,
            "description": f"dutyroom service on {address.bucket}",
            "permissions": [
                {"action": action, "resource": {"type": "buckets", "id": bucket, "orgID": org}}
                for action, bucket in may
            ],
        }
        return str(_made(http, "/api/v2/authorizations", body)["token"])


def check_access(address: InfluxAddress) -> None:
    """Ask whether the token may read and write the bucket, writing nothing; raises Unavailable saying what is wrong."""
    with client(address) as http:
        query(http, address.bucket, ["SHOW MEASUREMENTS LIMIT 1"])
        params = {"org": address.org, "bucket": address.bucket, "precision": "ms"}
        call(http, "POST", "/api/v2/write", params=params, content=b"")  # refused for its rights or for being empty


def works(address: InfluxAddress, token: str) -> bool:
    """Whether a token may read and write the bucket and those of its rollups."""
    try:
        for name in _names(address):
            check_access(replace(address, token=token, bucket=name))
    except Unavailable:
        return False
    return True


def _names(address: InfluxAddress) -> list[str]:
    return [address.bucket, *(rollup_bucket(address.bucket, step) for step in STEPS)]


def _found(http: httpx2.Client, kind: str, **params: str) -> str:
    found = _id_of(http, kind, **params)
    if found is None:
        raise Unavailable(f"InfluxDB has no {kind[:-1]} {next(iter(params.values()))}; run `dutyroom influx setup`")
    return found


def _id_of(http: httpx2.Client, kind: str, **params: str) -> str | None:
    """Id of an organisation or bucket; None where it is missing (which the server says by 404 or by an empty list)."""
    answer = http.get(f"/api/v2/{kind}", params=params)
    if answer.status_code == 404:
        return None
    found = call(http, "GET", f"/api/v2/{kind}", params=params).json().get(kind, [])
    return str(found[0]["id"]) if found else None


def _made(http: httpx2.Client, path: str, body: dict[str, object]) -> dict[str, object]:
    answer = call(http, "POST", path, json=body)
    if answer.is_error:
        raise BadInput(f"InfluxDB refused {path}: {answer.text[:300]}")
    made: dict[str, object] = answer.json()
    return made
