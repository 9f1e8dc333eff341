"""How often is too often."""

from __future__ import annotations

import time

import pytest
from fastapi import Request

from api.guard.allowance import address_of
from api.guard.limits import ALLOWED, Limits, Purpose
from api.problems import TooOften
from api.routes import PREFIX
from maintenance.people import Role
from tests.support.programs import wait_until
from tests.unit.api.house import House

ACCOUNT = Purpose.SIGN_IN_ACCOUNT


def _taken(limits: Limits, whose: str, purpose: Purpose = ACCOUNT) -> bool:
    try:
        limits.take(purpose, whose)
    except TooOften:
        return False
    return True


def test_each_has_a_share_of_their_own() -> None:
    limits = Limits()
    assert [_taken(limits, "li.wei") for _ in range(6)] == [True] * 5 + [False]
    assert _taken(limits, "zhang.min")
    assert _taken(limits, "li.wei", Purpose.SIGN_IN_ADDRESS)


def test_what_was_forgotten_is_there_again() -> None:
    limits = Limits()
    for _ in range(5):
        limits.take(ACCOUNT, "li.wei")
    limits.forget(ACCOUNT, "li.wei")
    assert _taken(limits, "li.wei")


def test_the_more_there_were_the_longer_is_the_wait() -> None:
    limits = Limits({ACCOUNT: "2/second; 3/minute; 4/hour"})

    def waits() -> int:
        with pytest.raises(TooOften) as refused:
            limits.take(ACCOUNT, "li.wei")
        return refused.value.wait_s

    assert _taken(limits, "li.wei")
    assert _taken(limits, "li.wei")
    assert waits() == 1
    wait_until(lambda: _taken(limits, "li.wei"), seconds=5, what="the second is over")
    assert 50 <= waits() <= 60


def test_a_refused_try_costs_nothing() -> None:
    limits = Limits({ACCOUNT: "1/second; 100/hour"})
    assert _taken(limits, "li.wei")
    for _ in range(500):
        _taken(limits, "li.wei")
    began = time.time()
    wait_until(lambda: _taken(limits, "li.wei"), seconds=5, what="the second is over")
    assert time.time() - began < 5


def test_counters_are_bounded_and_a_newcomer_among_too_many_shares_one() -> None:
    limits = Limits({ACCOUNT: "2/hour"}, most_keys=3)
    assert [_taken(limits, name) for name in "abc"] == [True] * 3
    assert [_taken(limits, name) for name in "def"] == [True, True, False]
    assert _taken(limits, "a")


def test_every_purpose_has_its_measure() -> None:
    assert set(ALLOWED) == set(Purpose)


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_counted_as_one_office(host: str, counted: str) -> None:
    request = Request({"type": "http", "headers": [], "client": (host, 1)})
    assert address_of(request) == counted


async def test_changes_are_counted_by_user_and_reading_is_not(house: House) -> None:
    house.app.state.office.limits = Limits({Purpose.WRITE: "2/hour"})
    async with house.client(Role.CREW) as crew, house.client(Role.ENGINEER) as engineer:
        for expected in (404, 404, 429):
            answer = await crew.post(f"{PREFIX}/alarms/1/reset")
            assert answer.status_code == expected
        assert 3_500 < int(answer.headers["retry-after"]) <= 3_600
        assert answer.json()["type"] == "urn:dutyroom:problem:too-often"
        assert (await crew.get(f"{PREFIX}/alarms")).status_code == 200
        assert (await engineer.post(f"{PREFIX}/alarms/1/reset")).status_code == 404
