"""People without an account, labels, photos, and requests that come twice because a network was bad."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from dutyroom import photocare
from maintenance.ledger import Ledger, Report, acts, codes, outbox, photos, queries, reports
from maintenance.ledger.acts import Wish
from maintenance.ledger.photos import Picture
from maintenance.ledger.reports import Told
from maintenance.ledger.rows import Happening, NoticeState, Phrase
from maintenance.moves import Move
from maintenance.people import REPORTER
from maintenance.photofiles import PhotoFolder
from maintenance.ticket import CauseCode, Resolution, State, Verdict, WaitingFor
from plant.errors import BadInput, Conflict, NotFound, Unavailable
from plant.severity import Severity
from tests.unit.maintenance.builders import CREW, ENGINEER, HOUR, MINUTE, T0, Course, Desk

KEY = "0b4e3a52-7f6e-4a3f-9a51-3f6d7a1c2b10"
PICTURE = Picture("ab" * 32, 1_000, 40, 30)


def told(token: str = "t" * 32, phrase: Phrase = Phrase.NO_HOT_WATER, **more: str) -> Told:
    return Told("tank-1", phrase, token, **more)


# Reports


def test_a_report_opens_a_ticket_without_a_rule_and_tells_the_crew(office: Desk) -> None:
    made = office.ledger.act(T0, reports.report, told(text=" 女浴室 ", phone="138 0000 0000"))

    ticket = office.only()
    assert (made.ticket, made.merged) == (ticket.id, False)
    assert (ticket.rule, ticket.opened_by, ticket.severity) == (None, REPORTER.name, Severity.P3)
    assert ticket.title == "没有热水"
    (notice,) = office.ledger.read(outbox.listed)
    assert notice.state is NoticeState.WAITING
    assert "138" not in notice.facts
    assert "138" not in "".join(row.text for row in office.history(ticket.id))
    (kept,) = office.ledger.read(reports.reports_of, ticket.id)
    assert (kept.text, kept.phone) == ("女浴室", "138 0000 0000")


@pytest.mark.parametrize("phrase", [Phrase.LEAK, Phrase.TOO_HOT, Phrase.POWER])
def test_what_may_hurt_somebody_is_p2(office: Desk, phrase: Phrase) -> None:
    office.ledger.act(T0, reports.report, told(phrase=phrase))
    assert office.only().severity is Severity.P2


def test_the_same_report_sent_twice_is_one(office: Desk) -> None:
    first = office.ledger.act(T0, reports.report, told())
    again = office.ledger.act(T0 + MINUTE, reports.report, told())

    assert again == first
    assert len(office.ledger.read(reports.reports_of, first.ticket)) == 1


def test_a_second_person_adds_to_the_open_report_of_the_machine_and_nobody_is_told_again(office: Desk) -> None:
    first = office.ledger.act(T0, reports.report, told())
    second = office.ledger.act(T0 + MINUTE, reports.report, told("u" * 32, Phrase.TOO_COLD, text="still"))

    assert (second.ticket, second.merged) == (first.ticket, True)
    assert len(office.ledger.read(outbox.listed)) == 1
    assert office.history(first.ticket)[-1].text == "too_cold: still"
    assert office.only().version == 1


def test_a_ticket_of_a_rule_or_of_the_crew_takes_no_reports(office: Desk) -> None:
    office.engine(Course(equipment="tank-1", rule="BH-05").raised())
    office.ledger.open_ticket(Report("tank-1", "paint it", Severity.P4), CREW, T0)

    made = office.ledger.act(T0, reports.report, told())

    assert (made.merged, len(office.tickets())) == (False, 3)


def test_after_the_ticket_is_finished_a_report_opens_a_new_one(office: Desk) -> None:
    first = office.ledger.act(T0, reports.report, told())
    office.move(first.ticket, State.IN_PROGRESS, T0)
    office.move(first.ticket, State.CLOSED, T0)

    second = office.ledger.act(T0 + HOUR, reports.report, told("u" * 32))

    assert second.ticket != first.ticket
    assert office.ledger.read(reports.status, "t" * 32)[1].resolution is Resolution.COMPLETED


def test_one_ticket_takes_a_hundred_reports(office: Desk) -> None:
    for number in range(reports.MOST_OF_ONE_TICKET):
        office.ledger.act(T0, reports.report, told(f"{number:032d}"))

    with pytest.raises(Conflict, match="has been reported 100 times already"):
        office.ledger.act(T0, reports.report, told("x" * 32))


def test_only_the_token_opens_the_status_and_the_ledger_does_not_hold_it(office: Desk, tmp_path: Path) -> None:
    office.ledger.act(T0, reports.report, told("secret-of-the-reporter-0123456789"))

    report, ticket = office.ledger.read(reports.status, "secret-of-the-reporter-0123456789")
    assert (report.ticket, ticket.state) == (ticket.id, State.OPEN)
    with pytest.raises(NotFound, match="no report belongs to this link"):
        office.ledger.read(reports.status, "x" * 32)
    assert not any(b"secret-of-the-reporter" in file.read_bytes() for file in tmp_path.glob("ledger.db*"))


# Codes


def test_every_machine_keeps_the_code_it_was_given_and_no_two_share_one(office: Desk) -> None:
    first = office.ledger.write(codes.ensure, ["ch-1", "ch-2"], T0)
    later = office.ledger.write(codes.ensure, [f"ch-{n}" for n in range(1, 200)], T0 + HOUR)

    assert {id: later[id] for id in first} == dict(first)
    assert len(set(later.values())) == 199
    assert all(len(code) == 8 and set(code) <= set(codes.ALPHABET) for code in later.values())


def test_a_code_says_nothing_of_the_machine(office: Desk, tmp_path: Path) -> None:
    mine = office.ledger.write(codes.ensure, ["ch-1"], T0)
    with Ledger.open(tmp_path / "other.db") as other:
        theirs = other.write(codes.ensure, ["ch-1"], T0)

    assert mine != theirs


def test_a_code_is_understood_as_people_type_it(office: Desk) -> None:
    (code,) = office.ledger.write(codes.ensure, ["ch-1"], T0).values()
    typed = codes.printed(code).lower().replace("0", "o").replace("1", "l")

    assert office.ledger.read(codes.equipment_of, f" {typed} ") == "ch-1"


@pytest.mark.parametrize("text", ["", "ABCD", "ABCD-EFG!", "ABCDEFGHJ", "ABCDEFGU"])
def test_what_is_no_code_is_said_to_be_none(office: Desk, text: str) -> None:
    with pytest.raises(BadInput, match="is no equipment code; expected the 8 characters"):
        office.ledger.read(codes.equipment_of, text)


def test_a_code_that_nobody_has_is_not_found(office: Desk) -> None:
    with pytest.raises(NotFound, match="no equipment bears the code ABCD-EFGH"):
        office.ledger.read(codes.equipment_of, "abcdefgh")


# Photos


def test_a_photo_belongs_to_a_ticket_and_comes_once(office: Desk) -> None:
    office.engine(Course().raised())
    id = office.only().id

    first = office.ledger.act(T0, photos.add, id, PICTURE, CREW, KEY)
    again = office.ledger.act(T0 + HOUR, photos.add, id, PICTURE, CREW, KEY)

    assert again == first
    assert office.ledger.read(photos.photos_of, id) == [first]
    assert [row.text for row in office.history(id) if row.kind is Happening.PHOTO] == [PICTURE.sha256]


def test_a_key_names_one_photo_of_one_ticket(office: Desk) -> None:
    office.engine(Course().raised(), Course(equipment="ch-2").raised())
    first, second = (ticket.id for ticket in office.tickets())
    office.ledger.act(T0, photos.add, first, PICTURE, CREW, KEY)

    with pytest.raises(Conflict, match="was used for a photo of another ticket"):
        office.ledger.act(T0, photos.add, second, PICTURE, CREW, KEY)


def test_a_ticket_takes_forty_photos(office: Desk) -> None:
    office.engine(Course().raised())
    id = office.only().id
    for number in range(photos.MOST_OF_ONE_TICKET):
        office.ledger.act(T0, photos.add, id, PICTURE, CREW, f"key {number}")

    with pytest.raises(Conflict, match="has 40 photos already"):
        office.ledger.act(T0, photos.add, id, PICTURE, CREW, "one more")


def test_photos_lie_under_their_hash_once(tmp_path: Path) -> None:
    folder = PhotoFolder(tmp_path / "photos")

    assert folder.put(b"a picture") == folder.put(b"a picture")
    other = folder.put(b"another")

    assert folder.get(other) == b"another"
    files = [file for file in (tmp_path / "photos").rglob("*") if file.is_file()]
    assert sorted(file.stat().st_size for file in files) == [7, 9]
    with pytest.raises(NotFound, match="is not in the folder of photos"):
        folder.get("0" * 64)


def test_a_photo_that_no_ticket_names_goes_after_a_day_and_one_that_is_named_stays(
    office: Desk, tmp_path: Path
) -> None:
    office.engine(Course().raised())
    folder = PhotoFolder(tmp_path / "photos")
    on_ticket, orphan, young, again = (folder.put(body) for body in (b"on a ticket", b"orphan", b"young", b"again"))
    office.ledger.act(T0, photos.add, office.only().id, replace(PICTURE, sha256=on_ticket), CREW, "key")
    half = next((tmp_path / "photos").glob("??")) / ".new-half"
    half.write_bytes(b"ha")
    day = photocare.LEAST_AGE_MS // 1000
    for path in (tmp_path / "photos").glob("??/*"):
        if path.stem != young:
            os.utime(path, (day, day))
    folder.put(b"again")  # somebody sends the same photo once more and is about to name it

    now = 2 * photocare.LEAST_AGE_MS
    assert photocare.tidy(office.ledger, folder, now) == 0  # a day old, not more
    assert photocare.tidy(office.ledger, folder, now + 1) == 2
    assert folder.removed == 2
    assert not half.exists()
    assert [folder.get(kept) for kept in (on_ticket, young, again)] == [b"on a ticket", b"young", b"again"]
    with pytest.raises(NotFound):
        folder.get(orphan)


def test_a_photo_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "photos").write_bytes(b"a file where the folder should be")

    with pytest.raises(Unavailable, match="the photo cannot be written"):
        PhotoFolder(tmp_path / "photos").put(b"a picture")
    assert os.listdir(tmp_path) == ["photos"]


# Requests that come twice


def test_a_move_sent_twice_is_made_once_also_after_somebody_else_went_on(office: Desk) -> None:
    office.engine(Course().raised())
    id = office.only().id
    move = Move(State.ACKNOWLEDGED, CREW, T0, key=KEY)
    office.ledger.move_ticket(id, move, version=1)
    office.move(id, State.IN_PROGRESS, T0, actor=ENGINEER)

    again = office.ledger.move_ticket(id, move, version=1)

    assert (again.state, again.version) == (State.IN_PROGRESS, 3)


def test_a_key_is_for_one_request_of_one_person(office: Desk) -> None:
    office.engine(Course().raised(), Course(equipment="ch-2").raised())
    first, second = (ticket.id for ticket in office.tickets())
    office.ledger.act(T0, acts.comment, Wish(first, CREW, key=KEY), "seen")

    for wish in (Wish(second, CREW, key=KEY), Wish(first, ENGINEER, key=KEY)):
        with pytest.raises(Conflict, match="was used for another request"):
            office.ledger.act(T0, acts.comment, wish, "seen")


def test_comments_assignments_and_chips_come_once(office: Desk) -> None:
    office.engine(Course().raised())
    id = office.only().id

    for _ in range(2):
        office.ledger.act(T0, acts.comment, Wish(id, CREW, key="1"), "换皮带")
        office.ledger.act(T0, acts.assign, Wish(id, CREW, 1, "2"), "wang")
        office.ledger.act(T0, acts.judge, Wish(id, CREW, 2, "3"), Verdict.REAL)
        office.ledger.act(T0, acts.diagnose, Wish(id, CREW, 3, "4"), CauseCode.WEAR)
        office.ledger.act(T0, acts.open_ticket, Report("ch-9", "x", Severity.P4), CREW, "5")

    ticket = office.ledger.read(queries.ticket, id)
    assert (ticket.version, ticket.assignee, ticket.verdict, ticket.cause_code) == (4, "wang", "real", "wear")
    kinds = [row.kind for row in office.history(id) if row.author == CREW.name]
    assert kinds == [Happening.COMMENTED, Happening.ASSIGNED, Happening.JUDGED, Happening.DIAGNOSED]
    assert len(office.tickets()) == 2


# What a ticket on hold waits for


def test_on_hold_a_chip_stands_for_a_reason_and_goes_when_work_goes_on(office: Desk) -> None:
    office.engine(Course().raised())
    id = office.only().id

    held = office.ledger.move_ticket(id, Move(State.ON_HOLD, CREW, T0, waiting_for=WaitingFor.PARTS))
    assert held.waiting_for is WaitingFor.PARTS
    assert office.history(id)[-1].text == "parts"

    assert office.move(id, State.IN_PROGRESS, T0).waiting_for is None


def test_only_a_ticket_on_hold_waits_for_something(office: Desk) -> None:
    office.engine(Course().raised())

    with pytest.raises(BadInput, match="only a ticket on hold waits for parts, not one moved to in_progress"):
        office.ledger.move_ticket(office.only().id, Move(State.IN_PROGRESS, CREW, T0, waiting_for=WaitingFor.PARTS))
