"""Each kind of question, as the author of a sheet writes it: what it answers, and what it refuses.

The questions of the sheets that come along are in `test_labs_checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.labs import (
    CallQuestion,
    Case,
    Choice,
    ChoiceQuestion,
    Feedback,
    FunctionQuestion,
    ProgramQuestion,
    Question,
    Sheet,
    Status,
    Text,
    TextQuestion,
    ValueQuestion,
)
from derivable.labs.questions import function as function_module
from derivable.labs.questions.program import Flaw
from tests.labs import LINEAR, linear, on, written

TITLE = Text("A question", "Une question")


def judged(question: Question, answer: Any, lang: str = "en") -> Feedback:
    sheet = Sheet(title=TITLE, minutes=(5, 10))
    sheet.add(question)
    return sheet.feedback(question.key, answer, seed=3, lang=lang)


def choice(**choices: Choice) -> ChoiceQuestion:
    return ChoiceQuestion(key="why", title=TITLE, answers=("why",), points=1, choices=choices)


SQUARE = CallQuestion(
    key="square", title=TITLE, answers=("square",), points=2, reference=lambda x: x**2,
    cases=(Case("any", TITLE, lambda draw: (draw.normal(3, 5),)),),
)  # fmt: skip


# Choices and texts


@pytest.mark.parametrize(
    ("answer", "lang", "status", "line"),
    [
        ("B", "en", Status.RIGHT, "why: right."),
        ("(a)", "en", Status.WRONG, "why: 'a', which is not right."),
        ("c", "en", Status.FAILED, "why: choose one of a, b, as text, such as why = 'a'."),
        (2, "fr", Status.FAILED, "why\u00a0: choisir parmi a, b, sous forme de texte, comme "
                                 "why = 'a'."),
        (" ", "en", Status.TO_DO, "why: to be done."),
    ],
)  # fmt: skip
def test_a_choice(answer: Any, lang: str, status: Status, line: str) -> None:
    why = Text("because", "parce que")
    feedback = judged(choice(a=Choice(False, why), b=Choice(True, why)), answer, lang)
    assert (feedback.status, feedback.lines[0]) == (status, line)


def test_choices_without_a_right_one_are_refused() -> None:
    with pytest.raises(SettingError, match="why: one of the choices must be right"):
        choice(a=Choice(False, TITLE))


@pytest.mark.parametrize(
    ("answer", "status", "lines"),
    [
        (..., Status.TO_DO, ("reason: to be done.",)),
        ("because", Status.TO_DO, ("reason: write your answer as text, in a sentence or two.",)),
        (
            "The slope of tanh\n   vanishes.",
            Status.MANUAL,
            ("reason: your teacher reads this answer.", "The slope of tanh vanishes."),
        ),
    ],
)
def test_a_text_is_for_the_teacher(answer: Any, status: Status, lines: tuple[str, ...]) -> None:
    question = TextQuestion(
        key="reason", title=TITLE, answers=("reason",), points=1, expected=TITLE
    )
    feedback = judged(question, answer)
    assert (feedback.status, feedback.lines, feedback.share) == (status, lines, 0)


# Values


@pytest.mark.parametrize(
    ("answer", "value", "mistake", "line"),
    [
        ("abc", 2.0, "type", "limit: got str, expected a number."),
        ({}, [2.0, 3.0], "type", "limit: got dict, expected a tensor."),
        ([2.0, 3.0, 5.0], [2.0, 3.0], "shape", "limit: shape (3,), expected (2,)."),
        (2j, 2.0, "complex", "limit: the result is complex; take its real or its imaginary part."),
        ([2.0, 4.0], [2.0, 3.0], "values", "limit: 1 of 2 values are not right."),
    ],
)
def test_a_value_of_the_wrong_kind(answer: Any, value: Any, mistake: str, line: str) -> None:
    question = ValueQuestion(
        key="limit", title=TITLE, answers=("limit",), points=1, value=lambda: value
    )
    feedback = judged(question, answer)
    assert (feedback.mistake, feedback.lines) == (mistake, (line,))


# Functions


def single(x: Tensor) -> Tensor:
    return (x.float() ** 2).to(torch.float32)


def unwritten(*arguments: Any) -> None:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("answer", "status", "mistake", "line"),
    [
        (None, Status.TO_DO, "", "square: to be done."),
        (3, Status.WRONG, "type", "square: a function is expected, got int."),
        (torch.square, Status.DECLINED, "borrowed", "of torch"),
        (torch.nn.Tanh(), Status.DECLINED, "borrowed", "of torch"),
        (unwritten, Status.TO_DO, "", "square: to be done."),
        (lambda x: "x", Status.WRONG, "any.type", "square: got str, expected a tensor."),
        (single, Status.WRONG, "any.float32", "square: computed in float32, with seven digits"),
        (str, Status.WRONG, "any.type", "got str"),  # Python knows no names of its inputs
    ],
)
def test_a_function(answer: Any, status: Status, mistake: str, line: str) -> None:
    feedback = judged(SQUARE, answer)
    assert feedback.status is status, feedback
    assert feedback.mistake.startswith(mistake)
    assert line in feedback.lines[0]


def test_a_result_without_entries_is_compared_by_its_shape() -> None:
    case = Case("none", TITLE, lambda draw: (draw.normal(0, 5),))
    question = CallQuestion(
        key="square", title=TITLE, answers=("square",), points=2, reference=lambda x: x**2,
        cases=(case,),
    )  # fmt: skip
    assert judged(question, lambda x: x * x).right
    assert judged(question, lambda x: (x * x).T).mistake == "none.shape"


@pytest.mark.parametrize(
    ("answer", "status", "mistake"),
    [
        (None, Status.TO_DO, ""),
        ("train", Status.WRONG, "type"),
        (unwritten, Status.TO_DO, ""),
    ],
)
def test_a_training_that_is_no_function_or_not_written(
    answer: Any, status: Status, mistake: str
) -> None:
    feedback = on("train_linear", answer)
    assert (feedback.status, feedback.mistake) == (status, mistake)


# Answers that the author checks


def flaws(draw: Any, answer: Callable[[float], float]) -> Iterator[Flaw]:
    if answer(2.0) != 4.0:
        yield Flaw("value", Text("square(2) is not 4", "square(2) ne vaut pas 4"), 0.5)


@pytest.mark.parametrize(
    ("code", "status", "line"),
    [
        ("def square(x): return x * x", Status.RIGHT, "square: right."),
        ("def square(x): return 2 + x / 2", Status.WRONG, "square: square(2) is not 4"),
        ("def square(x):\n    y = ...\n    return y", Status.TO_DO, "square: to be done."),
        ("def square(x):\n    y = ...\n    return y + 1", Status.TO_DO, "square: to be done."),
        ("def square(x): raise NotImplementedError", Status.TO_DO, "square: to be done."),
        ("def square(x): return x + z", Status.FAILED, "NameError"),
        ("square = torch.nn.functional.relu", Status.DECLINED, "of torch"),
    ],
)
def test_an_answer_that_the_author_checks(code: str, status: Status, line: str) -> None:
    question = ProgramQuestion(
        key="square", title=TITLE, answers=("square",), points=1, flaws=flaws
    )
    feedback = judged(question, written(code)["square"])
    assert feedback.status is status, feedback
    assert line in " ".join(feedback.lines)


# Functions with a backward

DONE = "Linear: forward is right; backward is to be done."


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("return x @ w + b", "raise NotImplementedError", "Linear: to be done."),
        (
            "return grad_output @ w.T,",
            "raise NotImplementedError\n        grad_output @ w.T,",
            DONE,
        ),
        (
            "return grad_output @ w.T, x.T @ grad_output,",
            "grad_w = ...\n        return grad_output @ w.T, x.T @ grad_output * 2,",
            DONE,
        ),
    ],
)
def test_a_method_that_is_not_written(old: str, new: str, line: str) -> None:
    feedback = on("linear", linear(old, new))
    assert (feedback.status, feedback.lines) == (Status.TO_DO, (line,))


def test_a_method_without_code_is_no_borrowed_one() -> None:
    found = type("Linear", (linear(),), {"backward": staticmethod(max)})
    feedback = on("linear", found)
    assert feedback.status is Status.FAILED, feedback
    assert feedback.mistake == "backward.TypeError"


@pytest.mark.parametrize(
    ("wrong", "mistake"),
    [
        ("raise ValueError('another size')", "backward."),
        ("return None, None, None", "backward.x.none"),
    ],
)
def test_a_backward_that_holds_for_the_first_sizes_alone(wrong: str, mistake: str) -> None:
    saved = "        x, w, b = ctx.saved_tensors\n"
    code = f"        seen.append(x.shape)\n        if x.shape != seen[0]:\n            {wrong}\n"
    seen: list[Any] = []
    answer = written(LINEAR.replace(saved, saved + code), seen=seen)["Linear"]
    feedback = on("linear", answer)
    assert not feedback.right
    assert feedback.mistake.startswith(mistake), feedback
    assert feedback.share == pytest.approx(0.4)


SUM_AND_PRODUCT = """
class Both(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x + y, x * y

    @staticmethod
    def backward(ctx, grad_sum, grad_product):
        x, y = ctx.saved_tensors
        return grad_sum + grad_product * y, grad_sum + grad_product * x
"""


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("", "", ""),
        ("return x + y, x * y", "return x + y, x * x", "forward.values"),
        ("return x + y, x * y", "return x + y", "forward.none"),
        ("return x + y, x * y", "return -x - y, x * y", "forward.sign"),
        ("grad_product * x", "grad_product * y", "backward.y."),
    ],
)
def test_a_function_of_two_outputs(old: str, new: str, mistake: str) -> None:
    question = FunctionQuestion(
        key="both", title=TITLE, answers=("Both",), points=1,
        reference=lambda x, y: (x + y, x * y),
        inputs=lambda draw: (draw.normal(3, 5), draw.normal(3, 5)),
    )  # fmt: skip
    feedback = judged(question, written(SUM_AND_PRODUCT.replace(old, new))["Both"])
    assert feedback.right == (not mistake), feedback
    assert feedback.mistake.startswith(mistake)


def test_where_the_examiner_decides_nothing_it_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_module, "CALLS", 1)
    assert on("linear", linear()).right
    monkeypatch.setattr(function_module, "MORE_CALLS", 1)
    feedback = on("linear", linear())
    assert feedback.status is Status.WRONG
    assert feedback.lines == ("Linear: the gradient could not be compared.",)
    assert feedback.share == pytest.approx(0.4)
