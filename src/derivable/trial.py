"""Whether a network, a loss and a table fit together: found out by running them on a few rows."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch
from torch import Tensor

from derivable.core_messages import say
from derivable.errors import DerivableError, ShapeError
from derivable.function.context import Context
from derivable.function.gradients import as_tuple
from derivable.functions.losses import NLL, CrossEntropy
from derivable.loss import AnyLoss, Loss
from derivable.network import Network

ROWS = 2  # one alone has no variance, which BatchNorm needs


def fit_together(
    network: Network, loss: AnyLoss, x: Tensor, y: Tensor, *, of_arrays: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The predictions on the first rows, and x and y as network and loss take them.

    Real y (N,) beside predictions (N, 1) becomes (N, 1): many a loss would broadcast the two to
    (N, N) and go on. Where they do not fit as they are, y (N,) is tried as (N, 1), labels (N, 1) as
    (N,), integers in y as real numbers, and those in x, too, where they are `of_arrays`: what a
    tensor holds was chosen, and an array has the type that a table happened to have.

    Raises what `try_on_rows` raises, with a hint where there is one.
    """
    try:
        predictions = try_on_rows(network, loss, x, y)
    except DerivableError as error:
        for other_x, other_y in _other_forms(network, loss, x, y, of_arrays):
            with suppress(DerivableError):
                return try_on_rows(network, loss, other_x, other_y), other_x, other_y
        hint = _hint(network, loss, x, y)
        if not hint:
            raise
        raise type(error)(say("with_hint", error=error, hint=hint)) from None
    if predictions.shape[1:] == (1,) and y.ndim == 1 and y.is_floating_point():
        with suppress(DerivableError):  # of a loss that asks for (N,)
            return try_on_rows(network, loss, x, y[:, None]), x, y[:, None]
    return predictions, x, y


def _other_forms(
    network: Network, loss: AnyLoss, x: Tensor, y: Tensor, of_arrays: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    dtype = next(network.parameters()).dtype
    exact = not (x.is_floating_point() or x.is_complex())
    real_x = x.to(dtype) if exact and of_arrays else x
    if takes_labels(loss) and not y.is_floating_point():
        shaped = y[:, 0] if y.shape[1:] == (1,) else y
    else:
        real = y if y.is_floating_point() or y.is_complex() else y.to(dtype)
        shaped = real[:, None] if y.ndim == 1 else real
    if shaped is not y:
        yield x, shaped
    if real_x is not x:
        yield from [(real_x, y), (real_x, shaped)]


def takes_labels(loss: AnyLoss) -> bool:
    """Whether the targets of the loss may be labels, which are numbers of classes."""
    return Loss.of(loss).function in (CrossEntropy, NLL)


def _hint(network: Network, loss: AnyLoss, x: Tensor, y: Tensor) -> str:
    """What may be meant where x and y do not fit; empty where nothing is known."""
    with suppress(DerivableError):
        if y.is_floating_point() or takes_labels(loss):
            try_on_rows(network, loss, y, x)
            return say("exchanged")
    name = Loss.of(loss).name
    if takes_labels(loss):
        whole = y.is_floating_point() and bool((y == y.round()).all())
        return say("long_labels", loss=name) if whole else ""
    if not y.is_floating_point() and not y.is_complex():
        return say("real_targets", loss=name)
    return ""


def try_on_rows(network: Network, loss: AnyLoss, x: Tensor, y: Tensor) -> Tensor:
    """The predictions on the first rows of a table, from a run by hand of network and loss.

    It goes forward and backward, in both modes where they differ, and leaves the network as it is.

    Raises what a layer or the loss raises, with the number of the layer and what it was given;
    ShapeError for a network that does not return one prediction per row.
    """
    modes = [network.training]
    if network.has_modes or network.changing:
        network, modes = copy.deepcopy(network), [True, False]
    for training in modes:
        predictions = _run(network.train(training), loss, x, y)
    return predictions


def _run(network: Network, loss: AnyLoss, x: Tensor, y: Tensor) -> Tensor:
    table = say("first_rows", shape=str(tuple(x.shape)))
    given, yhat, contexts = say("table_form", table=table, form=_form(x[:ROWS])), x[:ROWS], []
    layers = network.layer_by_layer(yhat)
    for i, layer in enumerate(network.layers, 1):
        with _refusal_of(say("layer_of", number=i, name=layer.function.__name__), given):
            yhat, ctx = next(layers)
        contexts.append(ctx)
        given = say("returned", number=i, table=table, form=_form(yhat))
    if yhat.ndim == 0 or len(yhat) != len(x[:ROWS]) or not yhat.is_floating_point():
        gaps = {"rows": len(x[:ROWS]), "shape": str(tuple(x.shape)), "form": _form(yhat)}
        raise ShapeError(say("real_predictions", **gaps))
    ctx = Context()
    gaps = {"form": _form(yhat), "shape": str(tuple(y.shape)), "dtype": y.dtype}
    with _refusal_of(say("the_loss", loss=Loss.of(loss).name), say("predictions_with", **gaps)):
        value = loss.forward(ctx, yhat, y[:ROWS])
    grad_yhat, *_ = as_tuple(loss.backward(ctx, torch.ones_like(value)))
    network.backward_by_hand(contexts, grad_yhat)
    return yhat


@contextmanager
def _refusal_of(who: str, given: str) -> Iterator[None]:
    """A context that adds to an error who raised it and what that was given."""
    try:
        yield
    except DerivableError as error:
        raise type(error)(say("does_not_take", who=who, given=given, error=error)) from None
    except RuntimeError as error:  # PyTorch's own, for shapes and dtypes
        raise ShapeError(say("does_not_take", who=who, given=given, error=error)) from error


def _form(value: Tensor) -> str:
    """Shape and dtype, in words."""
    dtype = str(value.dtype).removeprefix("torch.")
    return say("form", shape=str(tuple(value.shape)), dtype=dtype)
