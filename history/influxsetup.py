"""Making an InfluxDB 2 ready for us: waiting for it, first set-up, organisation and bucket."""

from __future__ import annotations

import httpx2
import stamina

from history.influxql import InfluxAddress, call, client
from plant.errors import BadInput, Unavailable


def wait_ready(address: InfluxAddress, seconds: float = 60) -> None:
    """Wait until the server says it is well; raises Unavailable when it does not within `seconds`."""
    with client(address) as http:
        for attempt in stamina.retry_context(on=Unavailable, attempts=None, timeout=seconds, wait_max=2):
            with attempt:
                call(http, "GET", "/health")


def setup_bucket(address: InfluxAddress, *, username: str, password: str, keep_ms: int = 0) -> list[str]:
    """Ensure that organisation and bucket exist and that the token opens them; returns what was made.

    A server never set up is set up with this user, password and token; on any other the token must be allowed to
    read and write the bucket and, where something is missing, to make it. `keep_ms` is how long a new bucket keeps
    readings; 0 is for ever. Raises Unavailable or BadInput.
    """
    with client(address) as http:
        if call(http, "GET", "/api/v2/setup").json().get("allowed"):
            _first_setup(http, address, username, password, keep_ms)
            return ["user", "organisation", "bucket", "token"]
        made = []
        org_id = _find(http, "/api/v2/orgs", "orgs", org=address.org)
        if org_id is None:
            org_id = str(_made(http, "/api/v2/orgs", {"name": address.org})["id"])
            made.append("organisation")
        if _find(http, "/api/v2/buckets", "buckets", name=address.bucket, orgID=org_id) is None:
            rules = [{"type": "expire", "everySeconds": keep_ms // 1_000}] if keep_ms else []
            _made(http, "/api/v2/buckets", {"orgID": org_id, "name": address.bucket, "retentionRules": rules})
            made.append("bucket")
        return made


def _first_setup(http: httpx2.Client, address: InfluxAddress, username: str, password: str, keep_ms: int) -> None:
    _made(
        http,
        "/api/v2/setup",
        {
            "username": username,
            "password": password,
            "org": address.org,
            "bucket": address.bucket,
            "token": address.token,
            "retentionPeriodSeconds": keep_ms // 1_000,
        },
    )


def _find(http: httpx2.Client, path: str, kind: str, **params: str) -> str | None:
    """Id of an organisation or bucket; None where it is missing (which the server says by 404 or by an empty list)."""
    answer = http.get(path, params=params)
    if answer.status_code == 404:
        return None
    found = call(http, "GET", path, params=params).json().get(kind, [])
    return str(found[0]["id"]) if found else None


def _made(http: httpx2.Client, path: str, body: dict[str, object]) -> dict[str, object]:
    answer = call(http, "POST", path, json=body)
    if answer.is_error:
        raise BadInput(f"InfluxDB refused {path}: {answer.text[:300]}")
    made: dict[str, object] = answer.json()
    return made
