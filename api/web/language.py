"""Which language a page is in, and its catalogue: the Chinese text is the key, `locale/en/*.po` hold the English."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from plant.catalogue import Text

COOKIE = "lang"
CATALOGUES = Path(__file__).parent / "locale" / "en"


class Language(StrEnum):
    """The languages there are; the first is the one nobody has to ask for."""

    ZH = "zh"
    EN = "en"

    @property
    def tag(self) -> str:
        """As HTML's `lang` says it; it also decides which glyphs a font gives."""
        return {"zh": "zh-CN", "en": "en"}[self.value]

    def of(self, text: Text) -> str:
        """A text that is there in both languages."""
        return text.zh if self is Language.ZH else text.en


def choose(cookie: str | None, accepted: str) -> Language:
    """What the person chose before, else the first of the browser's languages that we have, else Chinese."""
    if cookie in {language.value for language in Language}:
        return Language(cookie)
    for part in accepted.lower().split(","):
        for language in Language:
            if part.strip().startswith(language.value):
                return language
    return Language.ZH


@cache
def english() -> Catalog:
    """The English of every message; one file a group of pages, read once since they are part of the program."""
    whole = Catalog(locale="en")
    for path in sorted(CATALOGUES.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="en"):
                whole[message.id] = message
    return whole


@cache
def translations() -> Mapping[Language, NullTranslations]:
    """What gettext asks, by language."""
    compiled = BytesIO()
    write_mo(compiled, english())
    compiled.seek(0)
    return {Language.ZH: NullTranslations(), Language.EN: Translations(compiled)}
