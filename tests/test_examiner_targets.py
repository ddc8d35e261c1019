"""Sparse tensors, custom operators, forwards that ask for requires_grad, and rules by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from derivable import check
from derivable.errors import InputError
from derivable.examiner.targets.sparse import SparseForm, through_values
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
