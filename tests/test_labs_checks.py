"""What checks answer: right, wrong and why, borrowed, or to be done."""

from __future__ import annotations

import time
import warnings
from typing import Any

import pytest
import torch

from derivable.labs.explained import explained
from derivable.labs.feedback import Feedback, Status
from derivable.labs.sheet import load
from tests.labs import LINEAR, linear, on, written


def test_a_right_answer_is_one_line() -> None:
    feedback = on("linear", linear())
    assert feedback.status is Status.RIGHT
    assert str(feedback) == "✓ Linear: right."
    assert feedback.share == 1


def test_what_is_wrong_with_a_backward_is_said_in_the_language_of_the_notebook() -> None:
    wrong = linear("grad_output.sum(0)", "grad_output.mean(0)")
    english, french = on("linear", wrong), on("linear", wrong, "fr")
    assert english.mistake == french.mistake == "backward.b.mean_for_sum"
    assert "the mean is returned where the sum belongs" in english.lines[0]
    assert "la moyenne est renvoyée là où il faut la somme" in french.lines[0]
    assert len(english.lines) <= 4
    assert 0 < english.share < 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def f(ctx): pass\nf(1, 2, 3)", "F est écrite avec un seul argument et appelée avec 3."),
        ("def f(): pass\nf(1)", "F est écrite sans argument et appelée avec 1."),
        ("def f(x, w, b): pass\nf(1)", "F est appelée sans 'w' et 'b'."),
        ("def f(a, x, w, b): pass\nf(1)", "F est appelée sans 'x', 'w' et 'b'."),
    ],
)
def test_an_error_of_python_is_explained_in_french(code: str, words: str) -> None:
    with pytest.raises(TypeError) as raised:
        exec(code, {})
    assert words in explained(raised.value, "fr")[-1]


def test_an_error_in_a_line_that_is_not_kept_is_explained_without_it() -> None:
    with pytest.raises(NameError) as raised:
        exec(compile("y", "cell that is gone", "exec"), {})
    assert explained(raised.value, "en") == [
        "NameError: name 'y' is not defined",
        "The name y does not exist here: a typing error, or a variable of another function.",
    ]


def test_an_object_of_the_class_and_no_answer() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch's, of the mistake itself
        an_object = linear()()
    assert on("linear", an_object, "fr").lines == (
        "Linear\u00a0: Linear() est un objet\u00a0; la classe elle-même est attendue, sans "
        "parenthèses\u00a0: Linear.",
    )
    assert "nombre de réponses reçues\u00a0: 0" in str(load("tp2", "fr").feedback("linear"))


def test_a_check_takes_less_than_two_seconds() -> None:
    on("linear", linear())
    start = time.process_time()
    on("linear", linear())
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("old", "new", "mistake", "words"),
    [
        ("return x @ w + b", "return (x @ w + b).sum(0)", "forward.shape", "expected (5, 11)"),
        ("return x @ w + b", "x @ w + b", "forward.none", "forward returns nothing"),
        ("return x @ w + b", "return 3 * (x @ w + b)", "forward.factor", "3 times"),
        ("return x @ w + b", "return -(x @ w + b)", "forward.sign", "opposite sign"),
        ("return x @ w + b", "return x @ v + b", "forward.NameError", "the name v does not"),
        ("x @ w + b", "x @ w.T + b", "forward.RuntimeError", "must be equal"),
        ("x, w, b = ctx.saved_tensors", "x, w = ctx.saved_tensors", "backward.ValueError", "2 val"),
        ("ctx.saved_tensors", "ctx.saved_tensor", "backward.AttributeError", "with an s"),
        ("return grad_output @ w.T,", "grad_output @ w.T,", "backward.none", "return is missing"),
        ("grad_output @ w.T", "-grad_output @ w.T", "backward.x.sign", "sign"),
        ("    @staticmethod\n    def forward", "    def forward", "", ""),
    ],
)
def test_mistakes_of_python_and_of_mathematics(
    old: str, new: str, mistake: str, words: str
) -> None:
    feedback = on("linear", linear(old, new))
    if not mistake:  # Python calls it all the same
        assert feedback.right
        return
    assert feedback.mistake == mistake, feedback
    assert words in " ".join(feedback.lines).replace("The name", "the name")


def test_copied_outputs_and_constants_fail() -> None:
    constant = written("""
        class Linear(Function):
            @staticmethod
            def forward(ctx, x, w, b):
                return torch.ones(13, 7, dtype=x.dtype)
            @staticmethod
            def backward(ctx, grad_output):
                return None, None, None
    """)["Linear"]
    assert on("linear", constant).status is Status.WRONG


def test_the_librarys_own_function_is_declined() -> None:
    import derivable

    for answer in (derivable.Linear, type("Linear", (derivable.Linear,), {})):
        feedback = on("linear", answer)
        assert feedback.status is Status.DECLINED
        assert feedback.share == 0
    calling = written(
        """
        class Linear(Function):
            @staticmethod
            def forward(ctx, x, w, b):
                ctx.inner = derivable.Context()
                return derivable.Linear.forward(ctx.inner, x, w, b)
            @staticmethod
            def backward(ctx, grad_output):
                return derivable.Linear.backward(ctx.inner, grad_output)
        """,
        derivable=derivable,
    )["Linear"]
    feedback = on("linear", calling)
    assert feedback.status is Status.DECLINED
    assert "calls linear of derivable" in feedback.lines[0]


def test_a_backward_that_asks_autograd_is_declined() -> None:
    asking = written("""
        class Tanh(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return torch.tanh(x)
            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                with torch.enable_grad():
                    y = x.detach().requires_grad_()
                    return torch.autograd.grad(torch.tanh(y), y, grad_output)[0]
    """)["Tanh"]
    assert on("tanh", asking).status is Status.DECLINED


def test_an_own_derivable_function_is_the_students_own() -> None:
    from derivable import Function

    own = written(LINEAR, Function=Function)["Linear"]
    assert on("linear", own).right


def test_forward_done_and_backward_blank() -> None:
    half = written("""
        class Linear(Function):
            @staticmethod
            def forward(ctx, x, w, b):
                return x @ w + b
            @staticmethod
            def backward(ctx, grad_output):
                ...  # to be done
    """)["Linear"]
    feedback = on("linear", half)
    assert feedback.status is Status.TO_DO
    assert feedback.lines == ("Linear: forward is right; backward is to be done.",)
    assert feedback.share == pytest.approx(0.4)


@pytest.mark.parametrize("answer", [None, 3, "Linear", torch.nn.functional.linear, object(), int])
def test_what_is_no_function_gets_a_line_and_no_traceback(answer: Any) -> None:
    feedback = on("linear", answer)
    assert not feedback.right
    assert feedback.lines[0]


def test_a_wrong_key_and_a_wrong_number_of_answers_get_a_line() -> None:
    sheet = load("tp2", "en")
    assert "is no question of this sheet" in sheet.feedback("lineer", 1).lines[0]
    assert "takes cost_history, test_loss" in sheet.feedback("linear_curve", 1).lines[0]


@pytest.mark.parametrize("key", ["lineer", 3, None, ["linear"]])
def test_a_check_of_no_question_shows_a_line(key: Any, capsys: pytest.CaptureFixture[str]) -> None:
    load("tp2", "en").check(key, linear())
    assert "is no question of this sheet" in capsys.readouterr().out


def test_answers_that_exit_or_raise_what_cannot_be_shown_get_a_line() -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def raising(*arguments: Any) -> None:
        raise SilentError

    def leaving(*arguments: Any) -> None:
        raise SystemExit(3)

    assert on("train_linear", raising).mistake == "SilentError"
    assert on("train_linear", leaving).mistake == "SystemExit"


def test_a_check_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivable.labs.sheet.SECONDS", 0.3)
    endless = linear("return x @ w + b", "while True: pass")
    feedback = on("linear", endless)
    assert feedback.mistake == "too long"
    assert "a loop without end" in feedback.lines[0]


def test_hints_come_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    sheet, wrong = load("tp2", "fr"), linear("x.T @ grad_output", "2 * x.T @ grad_output")
    shown = []
    for _ in range(4):
        sheet.check("linear", wrong)
        shown.append(capsys.readouterr().out)
    assert "Indice" not in shown[0]
    assert "Indice" in shown[1]
    assert "À lire" not in shown[1]
    assert "À lire" in shown[2]
    assert not any("Une solution" in text for text in shown)
    sheet.fixes = True
    sheet.check("linear", wrong)
    assert "torch.mm(x.t(), grad_output)" in capsys.readouterr().out
    sheet.check("linear", linear())
    assert capsys.readouterr().out == "✓ Linear\u00a0: juste.\n"


def test_a_wrong_forward_has_no_hints_on_the_derivative(capsys: pytest.CaptureFixture[str]) -> None:
    sheet = load("tp2", "en")
    for _ in range(3):
        sheet.check("linear", linear("x @ w + b", "x @ w - b"))
        shown = capsys.readouterr().out
    assert "forward" in shown
    assert "Hint" not in shown


def test_a_feedback_is_shown_in_a_notebook_and_escapes_what_students_write() -> None:
    feedback = Feedback("x", Status.WRONG, ("a < b", "<script>"), ("c & d",))
    shown = feedback._repr_html_()
    assert "<script>" not in shown
    assert "a &lt; b" in shown
    assert "c &amp; d" in shown


def test_checks_draw_new_numbers_each_time() -> None:
    seen = set()

    class Spy(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            seen.add(tuple(x.shape))
            return torch.tanh(x)

        @staticmethod
        def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
            return grad_output

    sheet = load("tp2")
    for _ in range(6):
        sheet.feedback("tanh", Spy)
    assert len(seen) > 3


def test_the_random_numbers_of_the_notebook_are_left_as_they_were() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    load("tp2").feedback("linear", linear())
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("sheet", "key", "answer", "words"),
    [
        ("tp3", "loss_before", 7.0, "too large"),
        ("tp3", "loss_before", 0.5, "too small"),
        ("tp5", "score_variance", 3, "too small"),
        ("tp6", "limit", -1.0, "not right"),
    ],
)
def test_a_wrong_number_does_not_show_the_right_one(
    sheet: str, key: str, answer: float, words: str
) -> None:
    feedback = on(key, answer, "en", sheet)
    assert words in feedback.lines[0]
    assert "expected" not in str(feedback)


def test_a_power_that_is_written_as_in_mathematics_is_no_blank() -> None:
    feedback = on("tanh", written("""
        class Tanh(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return torch.tanh(x)
            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                return grad_output * (1 - torch.tanh(x)^2)
    """)["Tanh"])  # fmt: skip
    assert feedback.status is Status.FAILED
    assert "**" in feedback.lines[-1]
