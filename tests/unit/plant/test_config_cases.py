"""Bad configuration files give exactly the messages written beside them; good ones load and come back as they were."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from plant.cataloguefile import load_catalogue
from plant.errors import ConfigError
from plant.registry import load_site, site_to_yaml

CASES = Path(__file__).parents[2] / "cases" / "config"
CATALOGUE = load_catalogue()
RULES = {"CH-04": {"limit": (1.0, 6.0)}, "EL-16": {"limit": (40.0, 90.0)}}
MEDIA = """media:
  status: {unit: bool, kind: status, range: [0, 1], decimals: 0}
  percent: {unit: "%", range: [0, 100]}
  pipe_water: {unit: Cel, jump: 10}
"""


def messages(error: ConfigError, folder: Path) -> str:
    return f"{error}\n".replace(f"{folder}/", "")


@pytest.mark.parametrize("path", sorted((CASES / "bad").glob("site-*.yaml")), ids=lambda path: path.stem)
def test_a_bad_site_file_is_refused_with_these_words(path: Path) -> None:
    rules = {"CH-04": RULES["CH-04"]} if path.stem == "site-rules-meaning" else None
    with pytest.raises(ConfigError) as refused:
        load_site(path, CATALOGUE, rules=rules)
    assert messages(refused.value, path.parent) == path.with_suffix(".err").read_text("utf-8")


@pytest.mark.parametrize("path", sorted((CASES / "bad").glob("type-*.yaml")), ids=lambda path: path.stem)
def test_a_bad_type_file_is_refused_with_these_words(path: Path, tmp_path: Path) -> None:
    (tmp_path / "media.yaml").write_text(MEDIA, "utf-8")
    shutil.copy(path, tmp_path)
    with pytest.raises(ConfigError) as refused:
        load_catalogue(tmp_path)
    assert messages(refused.value, tmp_path) == path.with_suffix(".err").read_text("utf-8")


def test_every_bad_file_has_its_words_and_no_words_are_left_over() -> None:
    assert {path.stem for path in (CASES / "bad").glob("*.yaml")} == {
        path.stem for path in (CASES / "bad").glob("*.err")
    }


@pytest.mark.parametrize("path", sorted((CASES / "good").iterdir()), ids=lambda path: path.stem)
def test_a_good_site_is_read_and_its_export_imports_back_equal(path: Path, tmp_path: Path) -> None:
    site = load_site(path, CATALOGUE, rules=RULES)
    exported = tmp_path / "site.yaml"
    exported.write_text(site_to_yaml(site), "utf-8")
    assert load_site(exported, CATALOGUE, rules=RULES) == site
