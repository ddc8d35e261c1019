"""Inputs for targets without any: found, stated, the same each time, and hiding no mistake."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from derivable.errors import InputError
from derivable.examiner import check
from derivable.examiner.inputs import found_literals
from derivable.examiner.inputs.found import Search, found_inputs
from derivable.examiner.inputs.found_literals import _calls_in, _files
from derivable.examiner.inputs.found_trial import FORWARDS
from derivable.examiner.messages import say
from derivable.examiner.targets.target import is_float
from tests.corpus.part import part
from tests.corpus.right import RIGHT
from tests.corpus.wrong import WRONG
from tests.people import algebra, elementwise, layers, losses

PEOPLE: list[Any] = [
    value
    for module in (elementwise, losses, layers, algebra)
    for value in vars(module).values()
    if isinstance(value, type) and value.__module__ == module.__name__
]

pytestmark = pytest.mark.filterwarnings("ignore")


def shapes(target: Any) -> list[Any]:
    found = found_inputs(target)
    assert found is not None
    return [tuple(v.shape) if isinstance(v, Tensor) else v for v in found.inputs]


@pytest.mark.parametrize("function", PEOPLE, ids=lambda f: f.__name__)
def test_inputs_are_found_by_few_forwards(function: Any) -> None:
    search = Search(function)
    found = search.found()
    assert found is not None, search.refusal()
    assert search.trials.forwards <= 60
    assert any(is_float(value) for value in found.inputs)


@pytest.mark.parametrize("function", part(PEOPLE, 7), ids=lambda f: f.__name__)
def test_what_is_right_is_right_at_found_inputs(function: Any) -> None:
    report = check(function)
    assert report.verdict == "right", str(report)
    assert report.notes[0].key == "found.chosen"


def test_inputs_are_found_for_nearly_all_of_the_corpus_of_the_examiner() -> None:
    """Their own inputs are not used; nearly all of these names were new to the conventions."""
    entries: list[Any] = part([*RIGHT, *WRONG], 4)
    targets = [e.target for e in entries if isinstance(e.target, type)]
    targets = [t for t in targets if issubclass(t, torch.autograd.Function)]
    missed = [t.__name__ for t in targets if Search(t)._drafted() is None]
    assert len(missed) <= 0.02 * len(targets), missed


def test_the_sizes_of_the_course_are_chosen_where_they_fit() -> None:
    assert shapes(layers.LinearLab) == [(13, 5), (5, 7), (7,)]
    assert shapes(layers.LinearFunction) == [(13, 5), (7, 5), (7,)]
    assert shapes(losses.MSE) == [(10, 5), (10, 5)]
    assert shapes(elementwise.Swish) == [(4, 3)]


def test_the_choice_is_the_same_each_time() -> None:
    first, second = found_inputs(layers.Attention), found_inputs(layers.Attention)
    assert first is not None
    assert second is not None
    assert all(torch.equal(a, b) for a, b in zip(first.inputs, second.inputs, strict=True))


def test_what_was_chosen_is_stated_in_both_languages() -> None:
    found = found_inputs(losses.CrossEntropy)
    assert found is not None
    assert say(found.message, "en") == (
        "inputs chosen by the names of the arguments: logits (4, 3), labels (4,) int<3; at "
        "others: check(CrossEntropy, logits, labels)"
    )
    assert say(found.message, "fr").startswith("entrées choisies d'après les noms des arguments")


def test_inputs_are_in_double_precision_where_forward_runs_there() -> None:
    class OnlyFloat32(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x @ torch.ones(x.shape[1], 2)

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return g @ torch.ones(2, 3)

    def dtype(target: Any) -> torch.dtype:
        found = found_inputs(target)
        assert found is not None
        return found.inputs[0].dtype

    assert dtype(elementwise.Swish) is torch.float64
    assert dtype(OnlyFloat32) is torch.float32


class NotSummed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return x @ w + b

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, w = ctx.saved_tensors
        return g @ w.T, x.T @ g, g


class KeptDimension(NotSummed):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, w = ctx.saved_tensors
        return g @ w.T, x.T @ g, g.sum(0, keepdim=True)


class Raises(NotSummed):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, ...]:
        x, w = ctx.saved_tensors
        return g @ w.T, g @ x.T, g.sum(0)


class NotExpanded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.n = x.numel()
        return x.mean()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g / ctx.n


@pytest.mark.parametrize("function", [NotSummed, KeptDimension, Raises])
def test_no_shape_is_chosen_because_a_wrong_backward_fits_it(function: Any) -> None:
    assert shapes(function) == [(13, 5), (5, 7), (7,)]
    assert check(function, level="lab").verdict == "wrong", "by hand nothing is summed"


def test_a_gradient_of_no_dimensions_does_not_make_the_input_one_of_none() -> None:
    assert shapes(NotExpanded) == [(4, 3)]
    assert check(NotExpanded).verdict == "wrong"


def test_a_backward_that_asks_for_more_dimensions_gets_them() -> None:
    assert len(shapes(layers.MaxPool2d)[0]) == 4


def test_data_without_a_gradient_is_not_examined() -> None:
    found = found_inputs(losses.MSETarget)
    assert found is not None
    assert [value.requires_grad for value in found.inputs] == [True, False]


def test_annotations_state_shapes() -> None:
    class Distances(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, points: Any, others: Any, power: int) -> Tensor:
            assert isinstance(power, int)
            return ((points[:, None] - others) ** power).sum(-1)

    stated = {"points": "Float[Tensor, 'n 3']", "others": "Float[Tensor, 'm 3']", "power": "int"}
    Distances.forward.__annotations__ = stated
    assert shapes(Distances) == [(13, 3), (5, 3), 3]
    found = found_inputs(Distances)
    assert found is not None
    assert found.message.fields["source"].key == "found.annotations"


def test_a_shape_that_forward_asks_for_is_given() -> None:
    class Fixed(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            if x.shape != (2, 9):
                raise ValueError("expected (2, 9)")
            return x * 2

    assert shapes(Fixed) == [(2, 9)]


def test_inputs_by_keyword_are_options() -> None:
    from derivable import Function

    class Scaled(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, *, scale: float) -> Tensor:
            ctx.scale = scale
            return x * scale

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> tuple[Any, ...]:
            return grad_output * ctx.scale, None

    found = found_inputs(Scaled)
    assert found is not None
    assert list(found.options) == ["scale"]
    assert check(Scaled).verdict == "right"


SOURCE = '''
import torch


class Cube(torch.autograd.Function):
    """The third power.

    >>> Cube.apply(torch.rand(6, 2) + 1)
    """

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g


class Fourth(torch.autograd.Function):
    """>>> Fourth.apply(__import__("sys").exit())"""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**4

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 4 * x**3 * g


class Fifth(Fourth):
    pass
'''
TEST = """
from powers import Fifth
fifth = Fifth.apply
def test_fifth():
    x = torch.randn(2, 8, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(fifth, (x,))
"""


@pytest.fixture
def powers(tmp_path: Path) -> Any:
    path = tmp_path / "powers.py"
    path.write_text(SOURCE, encoding="utf-8")
    (tmp_path / "test_powers.py").write_text(TEST, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("powers_of_a_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["powers_of_a_test"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["powers_of_a_test"]


def test_calls_in_docstrings_and_tests_are_read(powers: Any) -> None:
    assert shapes(powers.Cube) == [(6, 2)]
    found = found_inputs(powers.Fifth)
    assert found is not None
    assert found.inputs[0].shape == (2, 8)
    assert say(found.message, "en") == "inputs of a call in test_powers.py: x"


def test_what_is_written_there_is_not_run(powers: Any) -> None:
    assert shapes(powers.Fourth) == [(4, 3)]


@pytest.mark.parametrize("listed", [True, False])
def test_its_own_examples_come_first(listed: bool) -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x**2

        @staticmethod
        def examples() -> Any:
            one = (torch.randn(11, 3),)
            return [one, (torch.randn(2),)] if listed else one

    found = found_inputs(Square, seed=3)
    assert found is not None
    torch.manual_seed(3)
    assert torch.equal(found.inputs[0], torch.randn(11, 3))
    assert found.message.key == "found.examples"


def test_what_has_no_signature_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="no inputs were found at which sin runs"):
        check(torch.sin)


def test_annotations_state_kinds_and_offsets() -> None:
    def f(x: Any, y: Any, labels: Any, sizes: Any, mode: Any) -> Any:
        assert sizes
        assert mode == "sum"
        return x[: y.shape[0]].sum() + y.sum() * (labels.sum() * 0 + 1)

    f.__annotations__ = {
        "x": 'Float[Tensor, "... n n+1"]',
        "y": 'Float[Tensor, "n-1 n"]',
        "labels": "LongTensor",
        "sizes": "tuple[int, int]",
        "mode": "Literal['sum']",
    }
    found = found_inputs(f)
    assert found is not None
    x, y, labels, sizes, mode = found.inputs
    n = x.shape[-2]
    assert (x.shape, y.shape) == ((n, n + 1), (n - 1, n))
    assert labels.dtype is torch.int64
    assert (isinstance(sizes, tuple), mode) == (True, "sum")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("-torch.ones(2, 3), (1, -2), [0.5, True]", [(2, 3), (1, -2), [0.5, True]]),
        ("torch.ones(2, 3).double().T @ a, None", [(3, 7), None]),
        ("a, a.to(torch.float64)", [(2, 7), (2, 7)]),
        ("torch.arange(0, 1, 0.25), torch.eye(3)", [(4,), (3, 3)]),
        ("a.cuda()", None),
        ("a.to('cuda')", None),
        ("a.shape", None),
        ("torch.pi", None),
        ("(1, 2).T", None),
        ("'text' * 3", None),
        ("1 / 0", None),
        ("torch.load('file')", None),
        ("torch.eye(99999)", None),
        ("torch.arange(1e8)", None),
        ("torch.arange(0, 1, 1e-8)", None),
        ("unknown", None),
    ],
)
def test_literals_are_evaluated_and_nothing_else(call: str, expected: Any) -> None:
    text = f"a = torch.rand(2, 7, dtype=torch.float64)\nF.apply({call})\n"
    (found,) = _calls_in(text, "F", "text")
    inputs = found.inputs(0)
    shown = inputs and [tuple(v.shape) if isinstance(v, Tensor) else v for v in inputs]
    assert shown == expected


def test_files_of_installed_packages_are_not_read() -> None:
    assert list(_files(torch.nn.functional.gelu)) == []
    assert list(_files(torch.nn.Linear)) == []
    assert next(_files(elementwise.GELU)).name == "elementwise.py"


def test_the_same_name_is_the_same_tensor() -> None:
    (found,) = _calls_in("a = torch.rand(3)\nF.apply(a, a)", "F", "text")
    inputs = found.inputs(0)
    assert inputs is not None
    assert inputs[0] is inputs[1]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("torch.autograd.gradcheck(F.apply, [x, y])", "x, y"),
        ("gradcheck(F.apply, x)", "x"),
        ("check(F, x, 3)", "x, 3"),
        ("gradcheck(F.apply)", None),
        ("gradcheck(G.apply, x)", None),
        ("F.apply(x) +", None),
    ],
)
def test_calls_by_an_examiner_are_read(text: str, arguments: str | None) -> None:
    assert [call.text for call in _calls_in(text, "F", "text")] == [arguments] * (
        arguments is not None
    )


def test_files_that_cannot_be_read_and_docstrings_of_another_form_are_skipped(
    powers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "test_powers.py"
    path.write_bytes(b"\xff" + path.read_bytes())
    assert shapes(powers.Fifth) == [(4, 3)]
    path.write_bytes(path.read_bytes()[1:])
    assert shapes(powers.Fifth) == [(2, 8)]
    monkeypatch.setattr(found_literals, "MOST_BYTES", 10)
    assert shapes(powers.Fifth) == [(4, 3)]
    powers.Cube.__doc__ = "  >>> Cube.apply(\n>>> torch.rand(6, 2))\n  ... wrong\n >>>x"
    assert shapes(powers.Cube) == [(4, 3)]


def test_callables_and_modules() -> None:
    apply: Any = losses.MSE.apply
    assert shapes(lambda yhat, y: apply(yhat, y)) == [(10, 5), (10, 5)]
    assert shapes(nn.Linear(5, 7)) == [(4, 5)]
    assert shapes(nn.Conv2d(3, 4, 2)) == [(2, 3, 6, 4)]
    assert check(apply).ok
    assert check(functools.partial(apply)).ok


def test_a_forward_that_always_refuses_is_asked_a_bounded_number_of_times() -> None:
    calls = []

    class Refuses(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor, b: Tensor, c: Any) -> Tensor:
            calls.append(a)
            raise ValueError("never")

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> tuple[None, ...]:
            return None, None, None

    with pytest.raises(InputError, match=r"no inputs were found at which Refuses runs: ValueError"):
        check(Refuses)
    assert len(calls) <= FORWARDS


def test_what_forward_prints_while_inputs_are_tried_is_not_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Prints(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            print("shape", x.shape)
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return 2 * g

    found_inputs(Prints)
    assert capsys.readouterr().out == ""


def test_what_a_docstring_states_of_an_argument_holds() -> None:
    class Quadratic(torch.autograd.Function):
        """b.T A b; A is symmetric."""

        @staticmethod
        def forward(ctx: Any, A: Tensor, b: Tensor) -> Tensor:  # noqa: N803
            ctx.save_for_backward(A, b)
            return b @ A @ b

    found = found_inputs(Quadratic)
    assert found is not None
    matrix, vector = found.inputs
    assert matrix.shape == (4, 4)
    assert torch.equal(matrix, matrix.T)
    assert not torch.equal(vector, vector.flip(0))


def test_integers_options_and_masks_are_told_apart() -> None:
    found = found_inputs(layers.MaskedAttention)
    assert found is not None
    assert found.inputs[3].dtype is torch.bool
    found = found_inputs(layers.Embedding)
    assert found is not None
    assert found.inputs[0].dtype is torch.int64
    assert shapes(elementwise.GELU)[1] in ("tanh", "none")
    assert shapes(algebra.IndexSelect)[1] == -1
