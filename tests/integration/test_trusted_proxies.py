"""What a proxy says of whom it passes on is believed of trusted ones only, on the real server."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from api.guard.origin import SESSION_COOKIE
from api.server import serve
from maintenance.ledger import audit
from maintenance.ledger.audit import Entry
from tests.unit.api.house import T0, House, opened

PASSWORD = "correct horse battery"  # noqa: S105
SAID = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}


async def _sign_in(house: House, *trusted: str) -> tuple[httpx2.Response, Entry]:
    house.ledger.set_password("a crew", PASSWORD, author="test", now=T0)
    async with serve(house.app, trusted_proxies=trusted) as port, httpx2.AsyncClient() as client:
        answer = await client.post(
            f"http://127.0.0.1:{port}/login", data={"name": "a crew", "password": PASSWORD}, headers=SAID
        )
    assert answer.status_code == 303
    return answer, house.ledger.read(audit.listed, subject="a crew")[0].entry


@pytest.mark.parametrize("trusted", [(), ("192.0.2.0/24",)], ids=["nobody", "another"])
async def test_a_stranger_s_word_is_not_taken(tmp_path: Path, trusted: tuple[str, ...]) -> None:
    with opened(tmp_path) as house:
        answer, entry = await _sign_in(house, *trusted)
    assert entry.detail.endswith(" · 127.0.0.1")
    assert "Secure" not in answer.headers["set-cookie"]
    assert "strict-transport-security" not in answer.headers


async def test_a_trusted_proxy_is_believed(tmp_path: Path) -> None:
    with opened(tmp_path) as house:
        answer, entry = await _sign_in(house, "127.0.0.0/8")
    assert entry.detail.endswith(" · 203.0.113.9")
    assert f"{SESSION_COOKIE}=" in answer.headers["set-cookie"]
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
