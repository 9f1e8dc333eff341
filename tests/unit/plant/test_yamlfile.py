"""The strict YAML reader: places inside texts, several documents, and files that are no YAML at all."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pytest

from plant.errors import ConfigError, NotFound
from plant.yamlfile import Duration, Strict, did_you_mean, load_documents, load_located, load_yaml


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Leaf(Strict):
    text: str = ""
    colour: Colour = Colour.RED
    number: float | str | None = None


class Tree(Strict):
    name: str
    leaves: dict[str, Leaf] = {}  # noqa: RUF012 - pydantic copies it
    listed: tuple[Leaf, ...] = ()
    wait: Duration = 0


def problems(source: Path | str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_yaml(source, Tree, file="t.yaml")
    return [str(problem) for problem in refused.value.problems]


def test_a_good_document_becomes_the_model() -> None:
    tree = load_yaml("name: a\nwait: 1h30m\nleaves: {x: {colour: blue, number: 1.5}}\n", Tree)
    assert (tree.name, tree.wait) == ("a", 5_400_000)
    assert tree.leaves == {"x": Leaf(colour=Colour.BLUE, number=1.5)}


@pytest.mark.parametrize("word", ["yes", "on", "2026-01-01", "12:30:00", "0x1F", "1_000", "on off"])
def test_words_that_older_yaml_took_for_something_else_are_text(word: str) -> None:
    assert load_yaml(f"name: {word}\n", Tree).name == word


@pytest.mark.parametrize("word", ["12", "1.5", "1e5", "true", "null", "~", "-.5", "+3"])
def test_numbers_and_truths_are_no_text_unless_quoted(word: str) -> None:
    assert problems(f"name: {word}\n")[0].startswith("t.yaml:1:7: wrong kind of value;")
    assert load_yaml(f"name: '{word}'\n", Tree).name == word


# Each text holds the word `here` once; line and column of its `h` were counted by hand.
@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("name: a here b\n", 1, 9),
        ("name: 'it''s here'\n", 1, 14),
        ('name: "a \\"b\\" here"\n', 1, 16),
        ('name: "a\\tb here"\n', 1, 13),
        ("name: >-\n  a\n  b  here\n", 3, 6),
        ("name: |\n\n    a\n      here\n", 4, 7),
        ("name: a\n  b\n  here\n", 3, 3),
        ("name: 'a\n  b\n\n  here'\n", 4, 3),
        ("name: 湿球 here\n", 1, 10),
        ("name: here\n", 1, 7),
        ("name: >-\n  here\n", 2, 3),
    ],
)
def test_a_place_inside_a_text_is_found_however_the_text_is_written(source: str, line: int, column: int) -> None:
    located = load_located(source, Tree, file="t.yaml")
    problem = located.problem(("name",), "wrong", offset=located.value.name.index("here"))
    assert (problem.line, problem.column) == (line, column)


def test_a_place_behind_the_end_of_a_text_is_right_behind_its_last_character() -> None:
    located = load_located("name: 'a +'\n", Tree)
    problem = located.problem(("name",), "an operand is missing", offset=3)
    assert (problem.line, problem.column) == (1, 11)


def test_a_path_to_something_not_written_names_the_last_part_that_is() -> None:
    located = load_located("name: a\nleaves:\n  x: {text: t}\n", Tree)
    assert str(located.problem(("leaves", "x", "colour"), "no colour")) == "<text>:3:6: no colour"
    assert str(located.key_problem(("leaves", "x"), "no leaf")) == "<text>:3:3: no leaf; found 'x'"


def test_every_mistake_of_every_document_is_told_in_file_order() -> None:
    source = "name: 1\n---\nname: b\nleave: {}\n---\nname: c\nlisted:\n  - {txt: x}\n  - {colour: gren}\n"
    with pytest.raises(ConfigError) as refused:
        load_documents(source, Tree, file="t.yaml")
    assert str(refused.value).splitlines() == [
        "t.yaml:1:7: wrong kind of value; found '1'; expected text; put it in quotes",
        "t.yaml:4:1: unknown key 'leave'; found 'leave'; did you mean 'leaves'?",
        "t.yaml:8:6: unknown key 'txt'; found 'txt'; did you mean 'text'?",
        "t.yaml:9:14: not one of the words known here; found 'gren'; expected red, blue",
    ]


def test_documents_keep_their_own_places() -> None:
    first, second = load_documents("name: a\n---\nname: b\n", Tree, file="t.yaml")
    assert (first.value.name, second.value.name) == ("a", "b")
    assert second.problem(("name",), "x").line == 3


def test_of_a_union_one_problem_names_all_kinds() -> None:
    assert problems("name: a\nleaves: {x: {number: [1]}}\n") == [
        "t.yaml:2:22: wrong kind of value; expected a number or text"
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "t.yaml:1:1: the file is empty"),
        ("# nothing\n", "t.yaml:1:1: the file is empty"),
        ("- a\n", "t.yaml:1:1: wrong kind of value; expected keys and values"),
        ("name: a\n---\nname: b\n", "t.yaml:3:1: a second document; this file holds one; remove the line ---"),
        ("name: .inf\n", "t.yaml:1:7: the number is not finite; found '.inf'; expected a number such as 12.5"),
        ("name: 1e999\n", "t.yaml:1:7: the number is not finite; found '1e999'; expected a number such as 12.5"),
        (
            "name: a\nb: \x07\n",
            "t.yaml:2:4: a control character; found 'U+0007'; remove it; files are plain UTF-8 text",
        ),
        ("name: *a\n", "t.yaml:1:7: '*' begins an alias, which is not used here; put the text in quotes"),
        ("name: &a [*a]\n", "t.yaml:1:7: anchors and aliases are not used here; write the value out"),
        ("name: a\n? [b]\n: c\n", "t.yaml:2:3: a key must be one word"),
        ("[" * 5000, "t.yaml:1:1: nested too deeply; a few levels are enough"),
        (
            "name: 'a\nb: 1\n",
            "t.yaml:3:1: a quote is never closed; close it; it belongs to what begins on line 1",
        ),
    ],
)
def test_what_is_no_such_document_is_told_at_its_place(source: str, message: str) -> None:
    assert problems(source) == [message]


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"cannot read t\.yaml: No such file or directory"):
        load_yaml(tmp_path / "none.yaml", Tree, file="t.yaml")


def test_bytes_that_are_no_utf8_are_told_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes("name: a\nwait: 中".encode("gbk"))
    assert problems(path) == ["t.yaml:2:7: not UTF-8 text; found '0xD6'; save it as UTF-8"]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: a\n")
    assert load_yaml(path, Tree).name == "a"


def test_a_suggestion_is_the_nearest_word_or_the_known_ones() -> None:
    assert did_you_mean("tmep", ["temp", "flow"]) == "did you mean 'temp'?"
    assert did_you_mean("xyz", ["temp", "flow"]) == "known: flow, temp"
    assert did_you_mean("xyz", []) == ""
