"""Ordinary mistakes of users in Python: each is one message that says what is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from derivable import Cosine, EarlyStopping, Function, Layer, Loss, Network, descend, descend_many
from derivable.descent import Checkpoint
from derivable.descent.method import Method
from derivable.errors import SettingError
from derivable.functions import MSE, CrossEntropy, Tanh

X = torch.randn(40, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
Y = X.sum(1)


def network(*sizes: int) -> Network:
    return Network.mlp(*(sizes or (3, 1)), dtype=torch.float64)


class OfTorch(torch.autograd.Function):
    """A student's own, as the sheet asks for it."""

    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).mean()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
        yhat, y = ctx.saved_tensors
        return 2 * g * (yhat - y), -2 * g * (yhat - y)


class Nameless(Method):
    """A method whose author forgot its name."""

    def prepare(self, request: Any) -> Any:
        raise NotImplementedError


GIVEN: dict[str, Any] = {"lr": 0.1, "steps": 5}
MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: Network([Layer(Tanh), Tanh]), r"Network is made of layers, .* got Tanh$"),  # type: ignore[list-item]
    (lambda: Network([nn.ReLU()]), "got ReLU$"),  # type: ignore[list-item]
    (lambda: Network(Layer(Tanh)), "got Layer$"),  # type: ignore[arg-type]
    (lambda: Layer(OfTorch), "OfTorch is a torch.autograd.Function; derive it from derivable"),  # type: ignore[arg-type]
    (lambda: Loss(OfTorch), "OfTorch is a torch.autograd.Function; derive it from derivable"),  # type: ignore[arg-type]
    (lambda: descend(network(), X, Y, MSE, **GIVEN), r"loss must be .* got Tensor \(40, 3\)$"),  # type: ignore[arg-type]
    (
        lambda: descend(network(), MSE, X, Y, on_block=EarlyStopping, **GIVEN),  # type: ignore[arg-type]
        r"got the class EarlyStopping; make one: EarlyStopping\(\.\.\.\)",
    ),
    (
        lambda: descend(network(), MSE, X, Y, method=Nameless(), **GIVEN),
        "the method Nameless has no name",
    ),
    (
        lambda: descend(network(), MSE, X, Y, steps=5, lr=lambda step, steps: "a"),  # type: ignore[arg-type, return-value]
        "must give a learning rate of 0 or more, got a at step 0 of 5",
    ),
    (
        lambda: descend_many(network(), MSE, X, Y, **GIVEN),  # type: ignore[arg-type]
        "needs a list of Networks, one for each descent, got Network",
    ),
    (
        lambda: descend(network(), CrossEntropy, X, Y[:, None].abs(), **GIVEN),
        "CrossEntropy compares at least two outputs",
    ),
]


@pytest.mark.parametrize(("mistake", "message"), MISTAKES, ids=[text for _, text in MISTAKES])
def test_a_mistake_is_one_message(mistake: Callable[[], Any], message: str) -> None:
    with pytest.raises(SettingError, match=message) as found:
        mistake()
    assert "\n" not in str(found.value)


def test_a_checkpoint_goes_on_with_its_own_penalty_only() -> None:
    steps: dict[str, Any] = {"lr": 0.1, "method": "steps"}
    first = descend(network(), MSE, X, Y, penalty=0.5, steps=5, **steps)
    with pytest.raises(SettingError, match=r"checkpoint is of penalty 0\.5, got 0; give that"):
        descend(network(), MSE, X, Y, steps=9, start=first.checkpoint, **steps)
    again = descend(network(), MSE, X, Y, penalty=0.5, steps=9, start=first.checkpoint, **steps)
    whole = descend(network(), MSE, X, Y, penalty=0.5, steps=9, **steps)
    assert torch.equal(again.losses, whole.losses)


def test_a_checkpoint_of_before_has_no_penalty_to_compare(tmp_path: Any) -> None:
    checkpoint = descend(network(), MSE, X, Y, penalty=0.5, **GIVEN).checkpoint
    tensors, texts = checkpoint.pack()
    assert Checkpoint.unpack(tensors, texts).penalty == 0.5
    texts.pop("penalty")
    old = Checkpoint.unpack(tensors, texts)
    descend(network(), MSE, X, Y, lr=0.1, steps=9, start=old)


def test_a_checkpoint_shows_no_tensors() -> None:
    assert len(repr(descend(network(), MSE, X, Y, **GIVEN).checkpoint)) < 400


class Broadcasting(Function):
    """A loss whose backward is right for a prediction (N, 1) beside a target (N,), too."""

    @staticmethod
    def forward(ctx: Any, prediction: Tensor, target: Tensor) -> Tensor:
        d = prediction - target
        ctx.save_for_backward(d, prediction, target)
        return (d**2).mean()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
        d, prediction, target = ctx.saved_tensors
        g = g * 2 * d / d.numel()
        return g.sum_to_size(prediction.shape), (-g).sum_to_size(target.shape)


@pytest.mark.parametrize("weight", [None, torch.ones(40, dtype=torch.float64)])
def test_targets_of_one_column_are_not_broadcast(weight: Tensor | None) -> None:
    given: dict[str, Any] = {"lr": 0.1, "steps": 30, "method": "steps", "weight": weight}
    run = descend(network(), Broadcasting, X, Y, **given)
    expected = descend(network(), MSE, X, Y[:, None], **given)
    torch.testing.assert_close(run.losses, expected.losses)


def test_small_mini_batches_run_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    from derivable import Adam
    from derivable.function import Context

    seen = set()

    class Watched(MSE):
        @staticmethod
        def forward(ctx: Context, yhat: Tensor, y: Tensor) -> Tensor:
            seen.add(torch.get_num_threads())
            return MSE.forward(ctx, yhat, y)

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        problem = network()
        descend(problem, Watched, X, Y[:, None], lr=Cosine(0.1), steps=9, method=Adam(batch_size=8))
    finally:
        torch.set_num_threads(before)
    assert 1 in seen
