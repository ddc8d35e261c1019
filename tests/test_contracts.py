"""Contracts: what they hold, restore and project; as text; declared, recognised, never left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from derivable import Report, check, contracts, declare
from derivable.contracts import Between, Contract, FixedSize, Several, Symmetric, parse_contract
from derivable.errors import InputError, SettingError, TargetError
from derivable.examiner import load_declarations
from derivable.examiner.inputs import declared
from derivable.examiner.inputs.contract_statements import (
    comments,
    stated,
    stated_of_the_matrix,
)
from derivable.examiner.inputs.contract_text import WORDS, contract_of
from derivable.examiner.inputs.contract_trials import reads_one_triangle, returns_symmetric_part
from derivable.examiner.inputs.contracts import STRUCTURES, structure
from derivable.examiner.inputs.probes import Probes
from derivable.examiner.inputs.recognised import recognised
from derivable.examiner.messages import say
from derivable.examiner.targets.adapters import adapter_of
from tests.corpus.draw import draw, fixed
from tests.corpus.engineering_contracts import SmoothedTransposed
from tests.corpus.right_contracts import Alignment, CholeskySolve, Cross, Energy, definite
from tests.corpus.right_symmetric import (
    RowsByPivots,
    Smoothed,
    SumOfSquares,
    Variance,
    two_definite,
)

KINDS: list[Contract] = [
    *STRUCTURES, *WORDS.values(), Between(2, 5), Between(low=1), Between(high=-1),
    contracts.Index(4), FixedSize((0,)), Several((Symmetric(), FixedSize())),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_declared() -> Iterator[None]:
    yield
    declared.forget()


def noted(report: Report) -> list[str]:
    return [note.key for note in report.notes]


def by_text(contract: Contract) -> str:
    return contract.text


@pytest.mark.parametrize("contract", KINDS, ids=by_text)
def test_what_is_restored_fulfils_it_and_stays_as_it_is(contract: Contract) -> None:
    x = contract.restore(3 * fixed(5, 4, 4))
    assert contract.holds(x)
    torch.testing.assert_close(contract.nearest(x), x)
    assert x.dtype == torch.float64
    if not isinstance(contract, contracts.Definite):  # made of its argument, whatever that is
        assert contract.holds(contract.restore(x))


@pytest.mark.parametrize("contract", KINDS, ids=by_text)
def test_a_tangent_stays_within_to_first_order(contract: Contract) -> None:
    x = contract.restore(fixed(3, 3))
    tangent = contract.tangent(x, fixed(3, 3, seed=4))
    torch.testing.assert_close(contract.tangent(x, tangent), tangent)  # a projection
    aside = x + 1e-4 * tangent
    assert (contract.nearest(aside) - aside).abs().max() < 1e-6


@pytest.mark.parametrize("contract", KINDS, ids=by_text)
def test_gradients_are_pulled_back_by_the_transpose_of_the_tangent_map(contract: Contract) -> None:
    x, direction, gradient = contract.restore(fixed(3, 3)), fixed(3, 3, seed=4), fixed(3, 3, seed=5)
    left = (contract.back(x, gradient) * direction).sum()
    right = (gradient * contract.tangent(x, direction)).sum()
    torch.testing.assert_close(left, right)


@pytest.mark.parametrize("contract", KINDS, ids=by_text)
@pytest.mark.parametrize("shape", [(), (2, 3)], ids=str)
def test_a_tensor_of_another_shape_keeps_it(contract: Contract, shape: tuple[int, ...]) -> None:
    x = fixed(*shape)
    assert contract.restore(x).shape == shape
    assert contract.nearest(x).shape == shape


def test_numbers_that_occur_twice_are_moved_apart_in_their_order() -> None:
    distinct = WORDS["distinct"]
    for x in (torch.tensor([2.0, 1.0, 2.0, 2.0]), torch.tensor([2, 1, 2, 2])):
        apart = distinct.restore(x)
        assert distinct.holds(apart)
        assert apart.dtype == x.dtype
        assert apart.argmin() == 1
    assert sorted(apart.tolist()) == [0, 1, 2, 3], "integers stay those of a permutation"


def test_the_messages_of_contracts_have_their_numbers() -> None:
    both = Several((FixedSize((0, -1)), Between(0, 1), contracts.Index(7)))
    first, second, third = (say(part.message, "en") for part in both.parts)
    assert "0" in second
    assert "1" in second
    assert "7" in third
    whole = say(both.message, "en")
    assert [whole.index(text) for text in (first, second, third)] == sorted(
        whole.index(text) for text in (first, second, third)
    )


def test_several_contracts_have_in_common_what_all_of_them_have() -> None:
    symmetric, low = Symmetric(), Between(0, 1)
    assert Several((symmetric, FixedSize())).linear
    assert not Several((symmetric, low)).linear
    assert Several((low, contracts.Nonzero())).entrywise
    assert not Several((low, symmetric)).entrywise
    assert Several((low, contracts.Index(3))).discrete
    assert not Several((low, symmetric)).discrete
    assert set(Several((FixedSize((0,)), low, FixedSize((1,)))).fixed(3)) == {0, 1}


def test_structures_are_recognised_from_the_narrowest_on() -> None:
    for contract in STRUCTURES:
        start = torch.eye(3).double() if contract.word == "one hot" else fixed(3, 3)
        found = structure(contract.restore(start))
        assert found is not None
        assert found.word in (contract.word, "definite" if contract.word == "symmetric" else "")
    assert structure(fixed(3, 3)) is None
    assert structure(torch.zeros(0, 3)) is None


def test_a_contract_as_text() -> None:
    assert parse_contract("A=symmetric") == ("A", Symmetric())
    assert parse_contract("p = 0..1") == ("p", Between(0, 1))
    assert parse_contract("x=-1..") == ("x", Between(-1))
    assert parse_contract("i=index(5)") == ("i", contracts.Index(5))
    both = Several((FixedSize((0, -1)), contracts.Nonzero()))
    assert parse_contract("x=fixed(0, -1)+nonzero") == ("x", both)
    for contract in KINDS:
        _, found = parse_contract(f"x={contract.text}")
        assert found.text == contract.text


@pytest.mark.parametrize("text", ["A", "=symmetric", "A=round", "p=2..1", "i=index(0)", "p=..",
                                  "i=index(,)", "x=fixed(-)"])  # fmt: skip
def test_another_text_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(SettingError, match="symmetric"):
        parse_contract(text)


class Repeated(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, n: int) -> Tensor:
        return x * n

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        raise RuntimeError("backward is still to be written")


def test_what_cannot_be_a_contract_is_refused_by_name() -> None:
    k, x = definite(4), draw(4)
    with pytest.raises(InputError, match=r"no input 'A'.*k, x"):
        check(Energy, k, x, contracts={"A": "symmetric"})
    with pytest.raises(InputError, match=r"given x does not fulfil its contract \(0\.\.1\)"):
        check(Energy, k, x, contracts={"x": "0..1"})
    with pytest.raises(SettingError, match="contract of k is 3"):
        check(Energy, k, x, contracts={"k": 3})
    with pytest.raises(InputError, match="n has a contract, and is of type int"):
        check(Repeated, x, 3, contracts={"n": "0..1"})
    assert contract_of(Symmetric(), "k") == Symmetric()
    assert contract_of(["symmetric", FixedSize()], "k") == Several((Symmetric(), FixedSize()))


@pytest.mark.parametrize(
    ("contract", "value"),
    [(Symmetric(), fixed(4, 4)), (contracts.Unit(), fixed(5, 3)), (Between(0, 1), fixed(5, 3)),
     (contracts.Rotation(), fixed(3, 3)), (contracts.Sorted(), fixed(4, 5)),
     (contracts.Simplex(), fixed(4, 5)), (FixedSize((1,)), fixed(4, 3))],
    ids=lambda value: value.text if isinstance(value, Contract) else "",
)  # fmt: skip
def test_no_input_that_is_made_up_leaves_a_contract(contract: Contract, value: Tensor) -> None:
    given = contract.restore(value)
    probes = Probes([given, fixed(4, 3)], [0, 1], 0, 2, {0: contract})
    made = [inputs for _, inputs in (*probes.other_sizes(), *probes.unequal_sizes())]
    made += [probes.other_values(), *(inputs for inputs, _ in (*probes.wide(), *probes.signed()))]
    kept = [inputs for inputs in made if probes.keep(inputs)]
    assert len(kept) >= 3
    special = [inputs[0] for inputs, _ in (*probes.extreme(), *probes.asymmetric())]
    assert all(contract.holds(x) for x in special)
    if isinstance(contract, FixedSize):
        assert {tuple(inputs[0].shape)[1] for inputs in made} == {3}


def test_right_on_its_contract_is_right_with_a_note() -> None:
    class Undocumented(Energy):
        pass

    Undocumented.__doc__ = None
    k, x = definite(4), draw(4)
    report = check(Undocumented, k, x)
    assert (report.verdict, report.findings[0].point.key) == ("wrong", "point.asymmetric")
    assert 'contracts={"k": "symmetric"}' in report.details("en")
    report = check(Undocumented, k, x, contracts={"k": "symmetric"})
    assert report.verdict == "right"
    assert "k is examined only where it is symmetric (as declared)" in report.details("en")
    assert "k n'est examiné que là où il est symétrique" in report.details("fr")


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("x' A x; A is symmetric.", "A", True),
        ("Solves A y = b for a symmetric positive definite matrix A.", "A", True),
        ("A: symmetric, (n, n).", "A", True),
        ("A (n, n), symmetric", "A", True),
        ("A need not be symmetric.", "A", False),
        ("A is nonsymmetric.", "A", False),
        ("The gradient is right for symmetric A.", "A", False),
        ("B is symmetric, and A is not.", "A", False),
        ("A symmetric matrix B.", "A", False),
    ],
)
def test_what_a_docstring_states_of_an_argument(text: str, name: str, expected: bool) -> None:
    assert stated(Symmetric(), name, text) is expected


def test_a_wrong_gradient_along_the_contract_is_found() -> None:
    class Twice(Alignment):
        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            grad_r, grad_m = Alignment.backward(ctx, g)
            return grad_r, 2 * grad_m

    r = torch.linalg.qr(fixed(3, 3)).Q
    report = check(Twice, r, draw(3, 3), contracts={"r": "orthogonal"})
    assert [(f.cause, f.argument) for f in report.findings] == [("factor", "m")]


def test_declared_from_outside() -> None:
    class Undocumented(Energy):
        pass

    Undocumented.__doc__ = None
    declare(Undocumented, examples=lambda: (definite(4), draw(4)))
    assert check(Undocumented).verdict == "wrong"  # where k is not symmetric
    declare(Undocumented, contracts={"k": "symmetric"})
    assert check(Undocumented).verdict == "right"
    with pytest.raises(SettingError, match="at least one"):
        declare(Undocumented)


class Step(Function):
    """A straight-through estimator that declares nothing itself."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return (x > 0).to(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g.clone()


@pytest.mark.parametrize("pattern", ["tests.*.Step", "*tep", "Step"])
def test_surrogates_are_declared_by_patterns_of_names(pattern: str) -> None:
    assert check(Step, draw(4, 3)).findings[0].cause == "surrogate"
    declare(pattern, surrogate="straight-through")
    assert check(Step, draw(4, 3)).verdict == "right"
    assert declared.matches(pattern, Step)
    assert not declared.matches(pattern, Cross)
    assert declared.parse_surrogate(f"{pattern}=meant so") == (pattern, "meant so")


def test_a_surrogate_is_proposed_by_what_it_does() -> None:
    report = check(Step, draw(4, 3))
    assert "evidence.straight_through" in [message.key for message in report.findings[0].evidence]


def test_the_derivative_that_is_meant_is_compared() -> None:
    report = check(Step, draw(4, 3), surrogate_of=lambda x: x)
    assert report.verdict == "right"
    assert "note.surrogate_of" in noted(report)
    report = check(Step, draw(4, 3), surrogate_of=lambda x: 3 * x)
    assert report.findings[0].cause == "factor"
    with pytest.raises(InputError, match="surrogate_of returns shapes"):
        check(Step, draw(4, 3), surrogate_of=lambda x: x.sum())
    with pytest.raises(InputError, match="surrogate_of raises"):
        check(Step, draw(4, 3), surrogate_of=lambda x, y: x)


FILE = """
import torch
from derivable import declare
from tests.corpus.right_contracts import Cross

declare(Cross, examples=[(torch.ones(4, 3),)], contracts={"x": "fixed(1)"})
"""


def test_a_file_of_declarations(tmp_path: Path) -> None:
    path = tmp_path / "examples.py"
    path.write_text(FILE)
    load_declarations(path)
    report = check(Cross)
    assert report.verdict == "right"
    assert report.inputs == {"x": "float32 (4, 3)"}
    with pytest.raises(SettingError, match="no file"):
        load_declarations(tmp_path / "other.py")
    path.write_text("import nowhere_at_all")
    with pytest.raises(TargetError, match=r"examples\.py: ModuleNotFoundError"):
        load_declarations(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Given a PSD matrix, the logarithm of its determinant.", True),
        ("Decomposes a symmetric positive semi-definite matrix.", True),
        ("a appears twice, and we exploit symmetry.", True),
        ("The factor 2 makes use of symmetry.", True),
        ("The matrix need not be symmetric: a symmetric matrix is a special case.", False),
        ("A symmetric matrix B and another one.", False),
        ("The gradient is symmetric.", False),
        ("A matrix that is not a PSD matrix.", False),
    ],
)
def test_what_a_text_states_of_the_only_matrix(text: str, expected: bool) -> None:
    assert stated_of_the_matrix(Symmetric(), ["B"], text) is expected


def test_comments_of_forward_and_backward_are_read() -> None:
    assert comments(Variance) == (
        "The factor 2 is there because a is in the product twice, and makes use of symmetry."
    )
    assert comments(torch.sin) == ""


@pytest.mark.parametrize(
    ("target", "inputs", "why"),
    [
        (RowsByPivots, [definite(4)], "pairs"),
        (RowsByPivots, [two_definite()], "pairs"),
        (RowsByPivots, [two_definite(2)], "pairs"),
        (SumOfSquares, [0.5, definite(4)], "docstring"),
        (Variance, [draw(3, 5), definite(3)], "comment"),
        (Smoothed, [definite(4), draw(4, 2)], "part"),
        (SmoothedTransposed, [definite(4), draw(4, 2)], ""),  # its symmetric part is right, too
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_why_a_contract_is_recognised(target: Any, inputs: list[Any], why: str) -> None:
    given = [v.detach() if isinstance(v, Tensor) else v for v in inputs]
    found = recognised(adapter_of(target), given)
    assert [reason for _, reason in found.values()] == ([why] if why else [])


class Strict(Function):
    """A forward that takes symmetric matrices alone, and a backward without a gradient."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        if not torch.equal(a, a.mT):
            raise ValueError("a must be symmetric")
        return a.sum()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return None


def test_a_rule_that_raises_or_returns_nothing_is_no_evidence() -> None:
    a = fixed(3, 3) + fixed(3, 3).mT
    assert not reads_one_triangle(adapter_of(Strict), [a], 0, Symmetric())
    assert not returns_symmetric_part(adapter_of(Strict), [a], 0, Symmetric())
    assert not returns_symmetric_part(adapter_of(Repeated), [a, 2], 0, Symmetric())
    assert not stated(Between(0, 1), "p", "p is between 0 and 1"), "it has no word of its own"


def test_a_forward_of_one_row_is_no_evidence_for_symmetry() -> None:
    class FirstRow(Function):
        @staticmethod
        def forward(ctx: Any, k: Tensor) -> Tensor:
            ctx.size = k.shape
            return k[1].square()

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return g.new_zeros(ctx.size)

    assert recognised(adapter_of(FirstRow), [definite(4).detach()]) == {}


def test_a_triangle_is_recognised_of_a_nearly_singular_matrix() -> None:
    """A large change of the triangle that is read makes it indefinite, and forward raises."""
    x = fixed(4, 2)
    nearly = x @ x.mT + 1e-3 * torch.eye(4).double()

    class Bare(CholeskySolve):
        pass

    Bare.__doc__ = None
    found = recognised(adapter_of(Bare), [nearly, fixed(4, 2)])
    assert {i: why for i, (_, why) in found.items()} == {0: "triangle"}
