"""Whether a network, a loss and a table fit together: found out by running them on a few rows."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from derivable.errors import DerivableError, ShapeError
from derivable.function.context import Context
from derivable.function.gradients import as_tuple
from derivable.loss import AnyLoss, Loss
from derivable.network import Network

ROWS = 2  # one alone has no variance, which BatchNorm needs


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
    table = f"the first rows of x {tuple(x.shape)}"
    given, yhat, contexts = f"{table}, {_form(x[:ROWS])}", x[:ROWS], []
    layers = network.layer_by_layer(yhat)
    for i, layer in enumerate(network.layers, 1):
        with _refusal_of(f"layer {i} of the network, {layer.function.__name__}", given):
            yhat, ctx = next(layers)
        contexts.append(ctx)
        given = f"what layer {i} returns for {table}, {_form(yhat)}"
    if yhat.ndim == 0 or len(yhat) != len(x[:ROWS]) or not yhat.is_floating_point():
        raise ShapeError(
            "the network must return real numbers, one prediction per row; for "
            f"{len(x[:ROWS])} rows of x {tuple(x.shape)} it returns {_form(yhat)}"
        )
    ctx = Context()
    given = f"predictions, {_form(yhat)}, with the first rows of y {tuple(y.shape)}, {y.dtype}"
    with _refusal_of(f"the loss, {Loss.of(loss).name}", given):
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
        raise type(error)(f"{who}, does not take {given}: {error}") from None
    except RuntimeError as error:  # PyTorch's own, for shapes and dtypes
        raise ShapeError(f"{who}, does not take {given}: {error}") from error


def _form(value: Tensor) -> str:
    """Shape and dtype, in words."""
    return f"{tuple(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
