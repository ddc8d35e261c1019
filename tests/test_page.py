"""The report of a comparison: its content, and its rendering in a real browser."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

from derivable import Comparison, compare
from derivable.comparison import Curve, Trained
from derivable.data import Table, load_diabetes
from derivable.display import style
from derivable.display.words import Words
from derivable.errors import SettingError
from derivable.protocol import parse_models
from derivable.report import panels, quality
from derivable.report.page import page, write_page
from derivable.report.verdict import verdict
from tests.chromium import CHROMIUM, chromium
from tests.conftest import ROOT

COMMAND = "derivable compare 'a <b>.csv' --target price"
SCRIPT = "<script>alert('column')</script>"


def made_up(*, features: int, targets: int = 1, unit: float = 1.0, rows: int = 120) -> Table:
    """A table with hostile names."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, features, generator=generator, dtype=torch.float64)
    noise = torch.randn(rows, targets, generator=generator, dtype=torch.float64)
    names = [f"the long name of a column that goes on and on, {i}" for i in range(features)]
    names[0], names[1] = SCRIPT, "price in $ or in $ & \"quotes\" ]]> 'x' 日本"
    y = unit * (3 + torch.sin(x[:, :1]) + 0.3 * noise)
    return Table(
        "houses & <i>", x, y, tuple(names), tuple(f"price {i} <b>$" for i in range(targets))
    )


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    table = load_diabetes(note="not the <real> table")
    models = parse_models("linear,tanh:10,relu:5x3")
    return compare(table, models, protocol="sound", steps=300, seeds=2)


@pytest.fixture(scope="module")
def many_models() -> Comparison:
    names = ",".join(f"tanh:{n}x{n}x{n}x{n}" for n in range(11, 22))
    return compare(made_up(features=60), parse_models(f"linear,{names}"), protocol="sound", steps=2)


class _Text(HTMLParser):
    """The text of a page, and its tags with their attributes."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_a_page_says_everything(comparison: Comparison, tmp_path: Path) -> None:
    path = write_page(comparison, tmp_path, command=COMMAND, lang="en")
    assert path == tmp_path / "report.html"
    assert path.stat().st_size < 1_000_000
    content = path.read_text(encoding="utf-8")
    read = _Text(content)
    for expected in (
        "diabetes: 3 models compared",
        "not the <real> table",
        "from 10 features. Trained on 353 rows, tested on 89; 300 steps, seeds 0 to 1.",
        "is off by",
        "has the lowest test loss",
        "The difference is not larger than what other test rows would change.",
        "always the mean",
        comparison.facts.digest,
        COMMAND,
        f"torch {torch.__version__}",
        "The rows are shuffled by seed 0; 353 train and 89 test.",
        "half of the largest at which the loss never rose in 500 steps",
        "mean squared error of progression (standardised)",
        "age, sex, bmi, bp, s1, s2, s3, s4, s5, s6",
    ):
        assert expected in read.text, expected
    for result in comparison.results:
        assert read.text.count(result.model.name) >= 5
        assert f"{result.test_loss:.4f}" in read.text
    assert ("html", {"lang": "en"}) in read.tags
    charts = [attributes for tag, attributes in read.tags if tag == "svg"]
    assert len(charts) == 2 + 3 + 3 + 1 + 1 + 3
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    known = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(known) == len(set(known)), "identifiers meet"
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", content.replace("xlink:href", "href"))
    assert {p.name for p in tmp_path.iterdir()} >= {"predictions.svg", "residuals.png"}


def test_a_page_speaks_french(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVABLE_LANG", "fr")
    read = _Text(page(comparison))
    assert ("html", {"lang": "fr"}) in read.tags
    for expected in (
        "a la plus basse perte de test",
        "Méthode de descente de chaque modèle",
        "la moitié du plus grand",
        "erreur quadratique moyenne de progression",
        "pas de descente de gradient",
        f"{comparison.best.test_loss:.4f}".replace(".", ","),
    ):
        assert expected in read.text.replace("\u202f", " ").replace("\u00a0", " "), expected
    foreign = [
        attributes for tag, attributes in read.tags if tag == "span" and "lang" in attributes
    ]
    assert foreign == [{"lang": "en"}], "the note alone comes from elsewhere"
    with pytest.raises(SettingError, match="must be en or fr, got 'de'"):
        page(comparison, lang="de")


@pytest.fixture(scope="module")
def crowded_page(many_models: Comparison) -> str:
    return page(many_models, SCRIPT, lang="fr")


def test_what_comes_from_data_is_escaped(
    crowded_page: str, many_models: Comparison, tmp_path: Path
) -> None:
    assert len(crowded_page.encode()) < 1_000_000
    assert "<script" not in crowded_page
    read = _Text(crowded_page)
    assert {tag for tag, _ in read.tags} & {"script", "b", "i"} == set()
    assert SCRIPT in read.text
    assert 'price in $ or in $ & "quotes" ]]>' in read.text
    assert "Les 30 plus grands des 60 poids" in read.text
    style.save(panels.weight_bars(many_models), tmp_path / "weights.svg")
    root = ElementTree.parse(tmp_path / "weights.svg").getroot()
    assert "<script>alert(" in "".join(root.itertext())
    assert not root.findall(".//{*}script")


@pytest.mark.parametrize("unit", [1e-9, 3e12])
def test_units_of_any_size(unit: float) -> None:
    found = compare(
        made_up(features=3, unit=unit), parse_models("tanh:3"), protocol="sound", steps=40
    )
    text = _Text(page(found)).text
    assert not re.search(r"\bnan\b|\binf\b", text)
    assert "0.0000" not in text
    assert re.search(r"tanh\(3\) has a test loss of \d\.\d{4}×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+\.", text)


def test_several_targets_and_no_steps() -> None:
    table = made_up(features=3, targets=5, rows=20)
    found = compare(table, parse_models("linear"), protocol="sound", steps=0)
    text = _Text(page(found)).text
    assert "Of 5 targets the first 4 are drawn." in text
    assert "price 3 <b>$" in text
    assert not re.search(r"\bnan\b|\binf\b", text)


def with_losses(
    result: Trained, tests: tuple[float, ...], curve: tuple[float, ...] = (1.0,)
) -> Trained:
    """The same model with other test losses, after one, two, ... steps."""
    steps = torch.arange(1, 1 + len(curve))
    way = Curve(steps, torch.tensor(curve, dtype=torch.float64))
    return dataclasses.replace(result, test_losses=tests, test_curve=way)


def verdict_text(comparison: Comparison, *results: Trained) -> str:
    seeds = tuple(range(len(results[0].test_losses)))
    changed = dataclasses.replace(comparison, results=results, seeds=seeds)
    return " ".join(verdict(changed, Words("en")))


def test_the_verdict_is_as_sure_as_the_seeds_are(comparison: Comparison) -> None:
    linear, tanh, _ = comparison.results
    right = dataclasses.replace(tanh, predictions=comparison.facts.y_test + 0.01)
    clear = verdict_text(
        comparison, with_losses(linear, (2.0, 2.1)), with_losses(right, (1.0, 1.1))
    )
    assert "tanh(10) is the best: its test loss is 1.0500, 49% below that of linear" in clear
    assert "The difference, 1, is larger than the spread over 2 seeds, 0.2 (two" in clear
    rows = verdict_text(comparison, with_losses(linear, (2.0, 2.1)), with_losses(tanh, (1.0, 1.1)))
    assert "tanh(10) has the lowest test loss, 1.0500; that of linear is 2.0500. The diff" in rows
    close = verdict_text(comparison, with_losses(linear, (1.0, 1.3)), with_losses(tanh, (1.0, 1.1)))
    assert "The difference, 0.1, is not larger than the spread over 2 seeds" in close
    alone = verdict_text(comparison, with_losses(linear, (2.0,)), with_losses(tanh, (1.0,)))
    assert "One seed is one draw" in alone
    only = verdict_text(comparison, with_losses(linear, (2.0,)))
    assert only.startswith("linear is off by 0.")
    assert "linear has a test loss of 2.0000. One" not in only


def test_the_verdict_names_who_overfits(comparison: Comparison) -> None:
    linear, tanh, _ = comparison.results
    turned = with_losses(tanh, (1.0,), (2.0, 0.8, 0.9, 1.0))
    text = verdict_text(comparison, with_losses(linear, (2.0,), (3.0, 2.0)), turned)
    assert "tanh(10) overfits: its test loss was lowest, 0.8000, after 2 steps" in text
    assert "has risen by 25% since" in text
    assert "linear overfits" not in text
    assert "Still falling at the end: tanh(10)" not in text
    text = verdict_text(comparison, with_losses(linear, (2.0,), (3.0, 2.0, 2.01)))
    assert "No model overfits: no test loss ends more than 1% above its lowest." in text


def test_the_measures_are_those_of_the_predictions(comparison: Comparison) -> None:
    from sklearn.metrics import mean_squared_error, r2_score

    true = comparison.facts.y_test.numpy()
    for result in comparison.results:
        predictions = result.predictions.double().numpy()
        assert quality.r2(comparison, result, 0) == pytest.approx(r2_score(true, predictions))
        expected = mean_squared_error(true, predictions) ** 0.5
        assert quality.root_mean_square(comparison, result, 0) == pytest.approx(expected)


def test_the_weights_are_what_a_standard_deviation_changes(comparison: Comparison) -> None:
    facts, linear = comparison.facts, comparison.results[0]
    found = panels.linear_weights(comparison)
    assert found is not None
    assert [abs(v) for v in found.values] == sorted(map(abs, found.values), reverse=True)
    k = facts.features.index(found.names[0])
    moved = facts.x_test.clone()
    moved[:, k] += 1
    change = linear.descent.network.forward_by_hand(moved - facts.x_test)[0]
    bias = linear.descent.parameters[1]
    expected = ((change - bias).double() * facts.scaler.y_std).mean().item()
    assert found.values[0] == pytest.approx(expected, rel=1e-5)


def test_the_example_of_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(example, "report.md", "exec"), {})
    assert (tmp_path / "somewhere" / "report.html").is_file()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_page_in_a_browser(comparison: Comparison, crowded_page: str, tmp_path: Path) -> None:
    addresses = []
    for name, content in (("few", page(comparison, lang="en")), ("many", crowded_page)):
        path = tmp_path / f"{name}.html"
        path.write_text(content, encoding="utf-8")
        addresses.append(path.as_uri())
    with chromium(tmp_path / "profile") as tab:
        colours = set()
        for address in addresses:
            for width, dark in ((400, True), (400, False), (1400, True), (1400, False)):
                tab.open(address, width=width, dark=dark)
                wide = tab.evaluate("document.documentElement.scrollWidth")
                assert wide == width, "the page scrolls sideways"
                assert tab.evaluate(_CUT_OFF) == [], (address, width)
                colours.add((dark, *tab.evaluate(_COLOURS)))
        for dark, paper, *inks in colours:
            assert (_lightness(paper) < 0.1) == dark
            assert all(_contrast(ink, paper) > 4.5 for ink in inks), (dark, inks)
        pages = tab.pdf().count(b"/Type /Page\n")
        assert set(tab.requests) == set(addresses), "nothing but the page is loaded"
        assert tab.complaints == []
    assert 3 < pages < 12


def _lightness(colour: str) -> float:
    """Relative luminance of rgb(r, g, b), as WCAG defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_lightness(one), _lightness(other)))
    return (high + 0.05) / (low + 0.05)


# The paper, and the colours of all text, that of the charts included.
_COLOURS = """
[getComputedStyle(document.body).backgroundColor, ...new Set([
  ...[...document.querySelectorAll('p, figcaption, th, td')].map(e => getComputedStyle(e).color),
  ...[...document.querySelectorAll('svg text')].map(e => getComputedStyle(e).fill),
])]
"""

# Text of a chart that lies outside of it, of which a reader would see nothing or half.
_CUT_OFF = """
[...document.querySelectorAll('svg')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1 ||
           box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
  }).map(text => text.textContent);
})
"""
