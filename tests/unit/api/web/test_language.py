"""Two languages, every message in both."""

from __future__ import annotations

import re

import pytest

from api.web.language import CATALOGUES, Language, choose, english
from tests.support.catalogue import messages, missing

HAN = re.compile(r"[\u4e00-\u9fff]")
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}")


def test_every_message_has_its_english() -> None:
    assert missing() == {}


def test_no_english_is_left_over() -> None:
    used = {part for message, _ in messages() for part in ((message,) if isinstance(message, str) else message)}
    known = {
        part
        for message in english()
        if message.id
        for part in ((message.id,) if isinstance(message.id, str) else message.id)
    }
    assert known - used == set()


def test_english_holds_no_chinese_and_the_same_places() -> None:
    for message in english():
        if not message.id:
            continue
        ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
        texts = (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))
        for text in texts:
            assert text, message.id
            assert not HAN.search(text), text
            assert set(PLACES.findall(text)) <= set(PLACES.findall(ids[0])), text


def test_files_agree_on_a_message() -> None:
    texts: dict[str, set[str]] = {}
    for path in CATALOGUES.glob("*.po"):
        for id, text in re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE):
            texts.setdefault(id, set()).add(text)
    assert {id: found for id, found in texts.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "", Language.ZH),
        (None, "en-GB,en;q=0.9,zh;q=0.8", Language.EN),
        (None, "fr-FR,zh;q=0.5", Language.ZH),
        ("en", "zh-CN", Language.EN),
        ("xx", "en", Language.EN),
    ],
)
def test_the_choice_before_the_browser_before_chinese(cookie: str | None, accepted: str, language: Language) -> None:
    assert choose(cookie, accepted) is language
