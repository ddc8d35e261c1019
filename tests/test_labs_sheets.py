"""Every sheet that comes along: its solutions, its typical mistakes, its blanks."""

from __future__ import annotations

import re

import pytest

from derivable import labs
from derivable.errors import DataError
from derivable.labs import tables
from derivable.labs.feedback import Status
from derivable.labs.questions.choice import ChoiceQuestion, TextQuestion
from derivable.labs.rehearsal import blank_names
from derivable.labs.sheet import load
from derivable.labs.source import Kind
from derivable.labs.tables import small_table
from derivable.language import LANGUAGES
from tests.corpus.part import part
from tests.labs import NAMES, rehearsed


def test_six_sheets_come_along() -> None:
    assert NAMES == ["tp1", "tp2", "tp3", "tp4", "tp5", "tp6"]


@pytest.mark.parametrize("name", NAMES)
def test_a_sheet_is_whole(name: str) -> None:
    sheet = load(name)
    low, high = sheet.minutes
    assert 60 <= low <= high <= 120
    assert sheet.points == pytest.approx(20)
    for question in sheet.questions.values():
        assert question.mistakes or isinstance(question, TextQuestion) or question.points <= 1
        for text in (question.title, question.hint, question.place):
            assert text is None or (text.en and text.fr)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_solution_is_right(name: str, lang: str) -> None:
    for question, feedback in rehearsed(name, lang).solutions():
        assert feedback.settled, f"{question.key}: {feedback}"


# What is found does not depend on the language; that all texts are there is tested above.
MISTAKES = [*((name, "en") for name in NAMES), ("tp1", "fr"), ("tp2", "fr")]


@pytest.mark.parametrize(("name", "lang"), part(MISTAKES, 2))
def test_every_typical_mistake_is_found_and_explained(name: str, lang: str) -> None:
    rehearsal = rehearsed(name, lang)
    with small_table():
        for question, mistake, feedback in rehearsal.mistakes():
            assert not feedback.settled, f"{question.key}: {mistake.what.en}"
            assert feedback.mistake.startswith(mistake.finds), f"{question.key}: {feedback}"
            assert feedback.share < 1
            assert all(feedback.lines)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_notebook_runs_and_everything_is_to_be_done(name: str, lang: str) -> None:
    sheet = load(name, lang)
    with small_table():
        found = blank_names(sheet, lang)
    for question in sheet.questions.values():
        answers = [found[answer] for answer in question.answers]
        assert sheet.feedback(question.key, *answers).status is Status.TO_DO, question.key


@pytest.mark.parametrize("name", part(NAMES, 2))
def test_other_seeds_do_not_change_what_is_right(name: str) -> None:
    rehearsal = rehearsed(name, "en")
    for key, question in rehearsal.sheet.questions.items():
        found = rehearsal.after[key]
        answers = [found[answer] for answer in question.answers]
        for seed in range(5):
            feedback = rehearsal.sheet.feedback(key, *answers, seed=seed)
            assert feedback.settled, f"{key}, seed {seed}: {feedback}"


def test_the_three_trainings_of_the_lab_are_in_the_second_sheet() -> None:
    text = load("tp2").text
    for name in ("EPOCHS", "EPS", "cost_history", "cost_final", "save_for_backward", "80000"):
        assert name in text


def test_the_letters_of_a_choice_stand_in_the_text_of_both_languages() -> None:
    for name in NAMES:
        sheet = load(name)
        for lang in LANGUAGES:
            texts = [c.text for c in sheet.cells if c.kind is Kind.TEXT and c.lang in ("", lang)]
            letters = [re.findall(r"^- \((\w)\)", text, re.M) for text in texts]
            choices = [q for q in sheet.questions.values() if isinstance(q, ChoiceQuestion)]
            assert sorted("".join(found) for found in letters if found) == sorted(
                "".join(question.choices) for question in choices
            ), f"{name} {lang}"


def test_the_table_is_substituted_with_a_note(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_network() -> None:
        raise DataError("no network")

    monkeypatch.setattr(tables, "find_california", no_network)
    monkeypatch.setattr(tables, "_used", [])
    assert labs.fetch_california_housing().data.shape == (442, 10)
    assert "The diabetes table of scikit-learn is used instead" in capsys.readouterr().out
    assert tables.used() == "diabetes"
