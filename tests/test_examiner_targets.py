"""Sparse tensors, custom operators, forwards that ask for requires_grad, and rules by hand."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from derivable import check, check_gradient
from derivable.errors import InputError
from derivable.examiner.targets.adapters import adapter_of
from derivable.examiner.targets.applying import forwards_alone
from derivable.examiner.targets.plain import is_plain_function_class
from derivable.examiner.targets.recorder import same
from derivable.examiner.targets.sparse import SparseForm, through_values
from derivable.examiner.targets.target import FunctionAdapter
from tests.corpus.draw import draw, fixed
from tests.corpus.engineering_contracts import (
    DetachedProduct,
    Masked,
    ProductOfBatches,
    SineFarOut,
    square,
)
from tests.corpus.right_contracts import AsksForGrad, Scaled, Sine, SparseProduct, cube, sparse

pytestmark = pytest.mark.filterwarnings("ignore:Sparse")  # PyTorch calls its layouts beta


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr, torch.sparse_csc])
def test_a_sparse_tensor_is_its_values_at_their_positions(layout: torch.layout) -> None:
    dense = fixed(4, 3) * (fixed(4, 3, seed=3) > 0.3)
    given = dense.to_sparse(layout=layout)
    (values,), forms = through_values([given], ["a"], "F")
    form = forms[0]
    assert torch.equal(form.given(values).to_dense(), dense)
    assert form.given(values).layout == layout
    gradient = fixed(4, 3, seed=8)
    expected = torch.zeros(4, 3).double()
    expected[dense != 0] = gradient[dense != 0]
    assert torch.equal(form.given(form.back(values, gradient)).to_dense(), expected)
    assert torch.equal(form.back(values, gradient.to_sparse()), form.back(values, gradient))
    leaf = values.clone().requires_grad_()
    (form.given(leaf).to_dense() * gradient).sum().backward()
    assert torch.equal(leaf.grad, form.back(values, gradient))
    assert isinstance(form, SparseForm)


def test_a_layout_that_is_not_examined_is_refused_by_name() -> None:
    blocks = torch.eye(4).double().to_sparse_bsr((2, 2))
    with pytest.raises(InputError, match="a has the layout sparse_bsr"):
        check(SparseProduct, blocks, draw(4, 2))


def test_the_report_has_the_sparse_tensor_that_was_given() -> None:
    given = sparse()
    report = check(SparseProduct, given, draw(3, 2))
    assert report.verdict == "right"
    assert report.example[0] is given
    assert report.details("en")


def test_a_sparse_output_is_refused_by_name() -> None:
    class Halved(Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor) -> Tensor:
            return a / 2

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return g / 2

    with pytest.raises(InputError, match=r"Halved\.forward returns a tensor of the layout sparse"):
        check(Halved, sparse())


@pytest.mark.parametrize(
    "target",
    [square, torch.ops.derivable_corpus.square, torch.ops.derivable_corpus.square.default],
    ids=["definition", "packet", "overload"],
)
def test_a_custom_operator_is_examined_by_its_registered_rules(target: Any) -> None:
    report = check(target, draw(4, 3))
    (finding,) = report.findings
    assert (finding.function, finding.cause, finding.argument) == (
        "derivable_corpus::square", "factor", "x",
    )  # fmt: skip
    assert finding.source is not None
    assert finding.source.text == "return ctx.saved_tensors[0] * g"
    assert report.details("en")


def test_inputs_of_an_operator_by_keyword_and_by_default() -> None:
    assert check(cube, draw(4, 3)).inputs == {"x": "float64 (4, 3)", "scale": "1.0"}
    with pytest.raises(InputError, match="takes x, scale"):
        check(cube, draw(4, 3), size=2)
    with pytest.raises(InputError, match="input x is missing"):
        check(cube, scale=2.0)


def test_an_operator_without_a_backward_is_refused() -> None:
    @torch.library.custom_op("derivable_corpus::bare", mutates_args=())
    def bare(x: Tensor) -> Tensor:
        return x.exp()

    with pytest.raises(InputError, match="derivable_corpus::bare has no backward"):
        check(bare, draw(4, 3))


def test_a_write_of_equal_numbers_is_found_with_its_line() -> None:
    (finding,) = check(Masked, draw(4, 3)).findings
    assert finding.evidence[0].key == "evidence.forward_writes"
    assert finding.source is not None
    assert finding.source.text == "x[:, x[0] > 1e9] = 0"


def test_forward_that_asks_for_requires_grad_is_measured_as_it_is_trained() -> None:
    report = check(AsksForGrad, draw(4, 3), draw(3))
    assert report.verdict == "right"
    assert not report.findings


def test_a_number_whose_gradient_autograd_sums_is_right() -> None:
    report = check(Scaled, draw(4, 3), draw())
    assert report.verdict == "right"
    assert not report.findings
    assert [note.key for note in report.notes] == ["note.summed"]


def test_a_jvp_is_measured_beyond_the_given_values_and_beside_a_wrong_backward() -> None:
    (finding,) = check(SineFarOut, draw(4, 3)).findings
    assert (finding.cause, finding.point.key) == ("jvp", "point.wide")
    assert finding.source is not None
    assert finding.source.text.startswith("return t * x.cos()")

    class WrongTwice(Sine):
        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return g * ctx.saved_tensors[0].sin()

        @staticmethod
        def jvp(ctx: Any, t: Tensor) -> Tensor:
            return t * ctx.saved_tensors[0].sin()

    causes = [finding.cause for finding in check(WrongTwice, draw(4, 3)).findings]
    assert causes[-1] == "jvp"
    assert len(causes) == 2


def test_a_vmap_rule_is_compared_in_its_gradients_and_without_a_batch_in_one_argument() -> None:
    (finding,) = check(DetachedProduct, draw(4, 3), draw(3, 2)).findings
    assert finding.evidence[0].key == "evidence.vmap_gradient"
    (finding,) = check(ProductOfBatches, draw(4, 3), draw(3, 2)).findings
    assert "None" in str(finding.evidence[0].fields["axis"])
    assert finding.source is not None
    assert "torch.stack" in finding.source.text


def test_a_forward_that_divides_by_one_less_than_its_rows_is_examined() -> None:
    class Variance(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            scale = 1 / (len(x) - 1)
            centred = x - x.mean(0)
            ctx.save_for_backward(centred)
            ctx.scale = scale
            return scale * centred.square().sum(0)

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return 2 * ctx.scale * g * ctx.saved_tensors[0]

    report = check(Variance, draw(5, 3))
    assert report.verdict == "right", report.details("en")
    assert "note.check_stopped" not in [note.key for note in report.notes]


class Weighted(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, k: float = 2.0) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.k = k
        return k * x * y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, y = ctx.saved_tensors
        return g * ctx.k * y, g * ctx.k * x, None


class WeightedApart(Function):
    @staticmethod
    def forward(x: Tensor, y: Tensor, k: float = 2.0) -> Tensor:
        return k * x * y

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.k = inputs[2]

    backward = Weighted.backward


@pytest.mark.parametrize("target", [Weighted, WeightedApart])
def test_inputs_of_a_function_by_keyword(target: Any) -> None:
    x, y = draw(3), draw(3)
    adapter = adapter_of(target)
    assert isinstance(adapter, FunctionAdapter)
    given = [x, y, 2.0] if target is WeightedApart else [x, y]
    assert adapter.bind([x, y], {}) == given, "PyTorch fills in defaults where there is no ctx"
    assert adapter.bind([x], {"k": 3.0, "y": y}) == [x, y, 3.0]
    with pytest.raises(InputError, match=f"{target.__name__}: the input y is missing"):
        check(target, x, k=3.0)
    with pytest.raises(InputError, match=r"forward has no input 'nope'; it takes x, y, k"):
        check(target, x, y, nope=1)
    with pytest.raises(InputError, match="x is given 2 times"):
        check(target, x, y, x=y)


def test_a_gradient_of_another_shape_than_the_sparse_tensor_is_returned_as_it_is() -> None:
    form = SparseForm(sparse().coalesce().detach())
    assert form.back(fixed(2), fixed(2, 2)).shape == (2, 2)


def test_an_operator_without_setup_context_is_examined() -> None:
    @torch.library.custom_op("derivable_corpus::thrice", mutates_args=())
    def thrice(x: Tensor) -> Tensor:
        return x * 3

    thrice.register_autograd(lambda ctx, g: 3 * g)
    assert check(thrice, draw(4, 3)).verdict == "right"


def test_a_value_with_its_gradient_at_a_list_or_a_named_tuple() -> None:
    class Theta(NamedTuple):
        w: Any
        b: Any

    def value(theta: Any) -> Any:
        return (theta[0] ** 2).sum() + theta[1].sum()

    kinds: list[type] = []

    def gradient(at: Any) -> Any:
        kinds.append(type(at))
        return [2 * at[0], torch.ones(2)]

    for theta in (Theta(draw(3), draw(2)), [draw(3), draw(2)]):
        report = check_gradient(value, gradient, at=theta)
        assert (report.verdict, list(report.inputs)) == ("right", ["theta[0]", "theta[1]"])
    assert set(kinds) == {Theta, list}
    with pytest.raises(InputError, match=r"\(3,\)"):
        check_gradient(lambda theta: theta, lambda theta: theta, at=draw(3))


def test_a_class_whose_text_is_not_there_is_run_by_hand() -> None:
    names: dict[str, Any] = {"__name__": __name__}
    exec(
        "class Shown:\n"
        "    def forward(self, x):\n        self.x = x\n        return x.sin()\n"
        "    def backward(self, g):\n        return g * self.x.cos()\n"
        "class Child(Shown): pass\n"
        "class Silent:\n    forward = backward = staticmethod(max)\n"
        "class Bare:\n    def forward(self, x): return x\n    def backward(self): return 1\n",
        names,
    )
    assert is_plain_function_class(names["Shown"]), "forward may do more than raise"
    assert check(names["Child"], draw(3)).verdict == "right"
    assert is_plain_function_class(names["Bare"])
    assert not is_plain_function_class(names["Silent"]), "written in C"


def test_a_plain_class_is_examined_under_autograd_by_its_own_name() -> None:
    adapter = adapter_of(Held)
    with pytest.raises(InputError, match="Held"):
        adapter._recorded([draw(3)])


class Held:
    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        return x.sin()

    def backward(self, g: Tensor) -> Tensor:
        return g * self.x.cos()


def test_tensors_of_other_shapes_or_dtypes_are_not_the_same() -> None:
    x = fixed(3)
    assert same(x, x.clone())
    assert same(torch.tensor([torch.nan]), torch.tensor([torch.nan]))
    assert not same(x, x[:2])
    assert not same(x, x.float())


def test_another_thread_applies_functions_as_ever_while_forwards_run_alone() -> None:
    target: Any = Weighted
    outputs: list[Any] = []

    def run() -> None:
        outputs.append(target.apply(draw(3), draw(3)))

    with forwards_alone():
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert outputs[0].grad_fn is not None
