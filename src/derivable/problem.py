"""`Problem`: WHAT is minimised, checked once when it is made."""

from __future__ import annotations

import copy
import hashlib
import math
import warnings
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from numbers import Real
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from derivable.core_messages import say
from derivable.device import device_of
from derivable.distributed import Group, Shard, deal
from derivable.errors import DataError, SettingError, ShapeError
from derivable.formula import Refusal, Scale
from derivable.functions.losses import CrossEntropy
from derivable.loss import AnyLoss, Loss
from derivable.messages import joined
from derivable.named import ALL_LOSSES, parse_loss
from derivable.network import Network, flatten
from derivable.row_losses import has_labels, ignored_label, scale_of
from derivable.shapes import require_tensors
from derivable.storage import ROWS_AT_ONCE, in_float64
from derivable.trial import fit_together

Rows = Tensor | np.ndarray[Any, Any]  # one example in each


@dataclass(frozen=True, eq=False)
class Problem:
    """The loss of a network on a table: `loss(network(x), y)`, summed where it is several numbers.

    x (N, ...) and y (N, ...) hold one example per row, of any shape. Where they are floating-point
    numbers they have the network's dtype, and those of arrays are converted. They may be integers,
    such as the indices of Embedding and the labels of CrossEntropy. Whether all fit together is
    found out by running the network and the loss on the first rows; where they do not, y (N,) of
    one output is taken as (N, 1), labels (N, 1) as (N,), and integers as real numbers, in x those
    of arrays only. Rows whose label (N,) is -100, or the `ignore_index` of the loss, are left out.

    `loss` is a Function, or a `Loss`, which gives it options: `Loss(Huber, delta=0.5)`.

    `weight` (N,) is how much each row counts: a row of weight 3 is three rows, one of weight 0
    none. It goes with every loss that is a sum or mean over rows (`derivable.row_losses`).
    Rows of weight 0 are left out when a Problem is made, and where the loss is a mean, the other
    weights are divided by theirs: with weights w_n of mean 1 it is mean_n w_n l_n. `weight` is None
    where all rows count as they do without weights.

    `penalty` is the factor l of an L2 penalty: what is minimised is the loss plus l / 2 |w|^2,
    where w are all weights. Weights are the parameters of two dimensions or more; biases are not
    penalised, as in scikit-learn. Since the loss is a mean over rows, `MLPRegressor(alpha=a)` on N
    rows, whose squared error is halved, is `penalty=2 * a / N` here, and so is `Ridge(alpha=a)`.
    `torch.optim.SGD(weight_decay=l)` has the same l, but decays biases too.

    `shard` says which rows of a larger table these are, where other processes have the others
    (`derivable.distributed`). The loss is then that of all rows, and so are `rows` and the mean of
    the weights; `of_shard` makes such a Problem.

    Network and table lie on one device, the CPU or a CUDA device; `on` gives a copy on another.

    The loss is that of the network in its mode. `descend` trains: in training mode, and in
    evaluation mode the network that it returns.

    Raises SettingError for a loss that is no Function, a network that cannot move, and weights that
    the loss cannot have; ShapeError, NotATensorError and DataError (not finite, another dtype) for
    a table that does not fit; and what a layer or the loss raises on the first rows, with the
    number of the layer.
    """

    network: Network
    loss: AnyLoss
    x: Tensor
    y: Tensor
    weight: Tensor | None = None
    penalty: float = 0.0
    shard: Shard | None = None
    counted: InitVar[bool] = True  # whether the weights are made relative to their mean

    def __post_init__(self, counted: bool) -> None:
        _check_network(self.network, self.loss)
        of_arrays = not isinstance(self.x, Tensor)
        for name in ("x", "y", "weight"):
            given = getattr(self, name)
            _refuse_sparse(name, given)
            self.__dict__[name] = as_rows(given, self.dtype, self.device)
        _check_table(self.dtype, self.x, self.y)
        _check_devices(self.device, x=self.x, y=self.y, weight=self.weight)
        predictions, x, y = fit_together(
            self.network, self.loss, self.x, self.y, of_arrays=of_arrays
        )
        self.__dict__.update(x=x, y=y)
        if Loss.of(self.loss).function is CrossEntropy and predictions.shape[1:2] == (1,):
            raise SettingError(say("one_class"))
        labels, ignored = has_labels(self.loss, self.y), ignored_label(self.loss)
        if labels:
            _check_labels(self.y, predictions.size(1), ignored)
        check_not_negative("penalty", self.penalty)
        if self.weight is not None:
            check_weight(self.loss, self.y, self.weight)
        if labels and self.y.ndim == 1 and (self.y == ignored).any():
            self._leave_out(self.y == ignored)
        if self.weight is not None:
            if (self.weight == 0).any():
                self._leave_out(self.weight == 0)
            if counted:
                self._count(self.weight)

    def _leave_out(self, rows: Tensor) -> None:
        """Keep the others only."""
        weight = None if self.weight is None else self.weight[~rows]
        self.__dict__.update(x=self.x[~rows], y=self.y[~rows], weight=weight)
        if not len(self.x):
            raise DataError(say("no_row_counts"))

    def _count(self, weight: Tensor) -> None:
        """Make the weights such that the loss is mean_n w_n l_n, or sum_n w_n l_n."""
        scale = scale_of(self.loss)
        assert isinstance(scale, Scale)  # `check_weight` has checked it
        weight = weight.double()
        if scale.is_mean_over_rows:
            weight = weight / self._mean(weight)
        same = self.shard is None and bool((weight == weight[0]).all())
        same = same and (scale.is_mean_over_rows or bool(weight[0] == 1))
        self.__dict__["weight"] = None if same else weight.to(self.dtype)

    def _mean(self, weight: Tensor) -> Tensor:
        """That of the weights of all rows, ()."""
        if self.shard is None:
            return weight.mean()
        return self.shard.total(lambda rows: weight[rows].sum()[None])[0] / self.rows

    @classmethod
    def of(
        cls,
        network: Network,
        loss: AnyLoss | str,
        x: Rows,
        y: Rows,
        weight: Rows | None = None,
        penalty: float = 0.0,
        **others: Any,
    ) -> Self:
        """The same, where the loss may be text and the table arrays, which are converted."""
        _require_network(network)
        table: Any = {"x": x, "y": y, "weight": weight}
        meant = parse_loss(loss, ALL_LOSSES) if isinstance(loss, str) else loss
        return cls(network, meant, penalty=penalty, **table, **others)

    @classmethod
    def of_shard(
        cls,
        group: Group,
        network: Network,
        loss: AnyLoss | str,
        x: Rows,
        y: Rows,
        weight: Rows | None = None,
        penalty: float = 0.0,
    ) -> Self:
        """The Problem of the rows of all processes of a group; each of them calls it with its own.

        The table is that of process 0, followed by that of process 1, and so on. Rows move between
        the processes until each has those of whole tasks, so that the bits of a descent do not
        depend on how many processes there are, one or more. Callbacks of a descent are called in
        each process, and must decide alike.

        Raises, in every process, what `Problem` raises in one of them, with the number of that
        process; and SettingError where network, loss or penalty are not the same in all.
        """
        with group.agreed():
            mine = cls.of(network, loss, x, y, weight, penalty, counted=False)
        meant = f"{network} with parameters {_digest(mine.theta)}, {Loss.of(mine.loss).name}, "
        group.check_same(
            "problem",
            f"{meant}penalty {penalty}",
            "one_seed",
        )
        dealt, shard = deal(group, {"x": mine.x, "y": mine.y, "weight": mine.weight})
        whole = mine._with(**dealt, shard=shard)
        if whole.weight is not None:
            whole._count(whole.weight)
        return whole

    @property
    def rows(self) -> int:
        """The number of rows that count, N, in all processes."""
        return len(self.x) if self.shard is None else self.shard.partition.rows

    @property
    def dtype(self) -> torch.dtype:
        """That of the parameters, and of a table of floating-point numbers."""
        return next(self.network.parameters()).dtype

    @property
    def device(self) -> torch.device:
        """That of the parameters, and of the table."""
        return next(self.network.parameters()).device

    @property
    def theta(self) -> Tensor:
        """A copy of the network's parameters, (P,)."""
        return self.network.theta

    @property
    def is_weight(self) -> Tensor:
        """1 for each parameter (P,) of a tensor with two dimensions or more, a weight; else 0."""
        parts = [torch.full_like(p.detach(), float(p.ndim > 1)) for p in self.network.parameters()]
        return flatten(parts)

    @property
    def decay(self) -> Tensor:
        """The penalty of each parameter, (P,): 0 for biases. Its gradient is `decay * theta`."""
        return self.penalty * self.is_weight

    def in_float64(self) -> Problem:
        """The same in float64."""
        if self.dtype == torch.float64:
            return self
        return self._with(
            network=copy.deepcopy(self.network).double(),
            x=in_float64(self.x) if self.x.is_floating_point() else self.x,
            y=in_float64(self.y) if self.y.is_floating_point() else self.y,
            weight=None if self.weight is None else self.weight.double(),
        )

    def on(self, device: str | torch.device) -> Problem:
        """The same on another device, of copies; this one where it lies there.

        Raises SettingError for a device that there is not, for rows that lie in several processes,
        and for a network that draws random numbers: its generator is one of the CPU.
        """
        device = device_of(device)
        if self.device == device:
            return self
        drawing = [layer for layer in self.network.layers if layer.draws]
        if self.shard is not None or drawing:
            why = say("draws", name=drawing[0].function.__name__) if drawing else say("shards")
            raise SettingError(say("stays_on_cpu", device=device, why=why))
        return self._with(
            network=copy.deepcopy(self.network).to(device),
            loss=Loss.of(self.loss).on(device),
            x=self.x.to(device),
            y=self.y.to(device),
            weight=None if self.weight is None else self.weight.to(device),
        )

    def in_training(self, buffers: Mapping[str, Tensor]) -> Problem:
        """The same with a copy of the network, in training mode and with these buffers."""
        network = copy.deepcopy(self.network).train()
        network.set_buffers(buffers)
        return self.with_network(network)

    def with_network(self, network: Network) -> Problem:
        """The same with another copy of the network."""
        return self._with(network=network)

    def part(self, rows: slice | Tensor) -> Problem:
        """The same on some of the rows of this process alone, which keep their weights."""
        weight = None if self.weight is None else self.weight[rows]
        return self.with_rows(self.x[rows], self.y[rows], weight)

    def with_rows(self, x: Tensor, y: Tensor, weight: Tensor | None = None) -> Problem:
        """The same on other rows of the same kind, all of which are in this process."""
        return self._with(x=x, y=y, weight=weight, shard=None)

    def _with(self, **changes: Any) -> Self:
        """A copy with other fields, which follow from checked ones and are not checked again."""
        twin = copy.copy(self)
        twin.__dict__.update(changes)
        return twin


def _digest(theta: Tensor) -> str:
    """The beginning of a digest of parameters."""
    return hashlib.sha256(theta.cpu().numpy().tobytes()).hexdigest()[:12]


def as_rows(value: Any, dtype: torch.dtype, device: torch.device) -> Any:
    """A tensor there for what is an array, with floating-point numbers in this dtype.

    Anything else stays as it is.
    """
    if isinstance(value, Tensor) or not hasattr(value, "__array__"):
        return value
    array = np.ascontiguousarray(value)
    if array.dtype.kind not in "biufc":
        raise DataError(say("array_dtype", dtype=array.dtype))
    if isinstance(value, np.memmap):
        return _mapped(array, dtype).to(device)
    tensor = torch.tensor(array, device=device)  # a copy, which nobody else changes
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _mapped(array: np.ndarray[Any, Any], dtype: torch.dtype) -> Tensor:
    """The rows of a file, which stay there; a copy in another dtype would fill the memory."""
    with warnings.catch_warnings(action="ignore"):  # that it may not be written: nobody does
        tensor = torch.from_numpy(array)
    if tensor.is_floating_point() and tensor.dtype != dtype:
        raise DataError(say("mapped_dtype", dtype=dtype, got=tensor.dtype))
    return tensor


def _refuse_sparse(name: str, value: Any) -> None:
    """Refuse what keeps its entries that are not zero only, in SciPy or in PyTorch."""
    way = "to_dense()" if isinstance(value, Tensor) else "toarray()"
    if is_sparse(value):
        raise DataError(say("sparse", name=name, way=way))


def is_sparse(value: Any) -> bool:
    """Whether it is a sparse matrix or array of SciPy, or a sparse tensor."""
    if isinstance(value, Tensor):
        return value.layout != torch.strided
    return hasattr(value, "nnz") and hasattr(value, "toarray")


def _require_network(network: Any) -> None:
    """Refuse what is no Network, such as a module of PyTorch."""
    if not isinstance(network, Network):
        is_class = isinstance(network, type)
        kind = type(network).__name__
        what = say("the_class", name=network.__name__) if is_class else kind
        raise SettingError(say("no_network", what=what))


def _check_network(network: Network, loss: Any) -> None:
    """Refuse a network or a loss that is none, and a network that cannot move."""
    _require_network(network)
    Loss.of(loss)
    if not list(network.parameters()):
        raise SettingError(say("no_parameters"))
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            raise SettingError(say("frozen", name=name))
        if not parameter.dtype.is_floating_point:
            raise SettingError(say("real_parameters", name=name, dtype=parameter.dtype))
    dtypes = {parameter.dtype for parameter in network.parameters()}
    if len(dtypes) > 1:
        names = joined(sorted(map(str, dtypes)), say("and"))
        raise SettingError(say("one_dtype", dtypes=names))


def _check_table(dtype: torch.dtype, x: Any, y: Any) -> None:
    """Refuse a table without rows, with numbers that are not finite, or of another dtype."""
    require_tensors("Problem", x=x, y=y)
    for name, value in (("x", x), ("y", y)):
        if value.ndim == 0 or len(value) == 0:
            raise ShapeError(say("rows_needed", name=name, shape=str(tuple(value.shape))))
        if (value.is_floating_point() or value.is_complex()) and value.dtype != dtype:
            raise DataError(say("other_dtype", name=name, got=value.dtype, dtype=dtype))
        row = _first_not_finite(value)
        if row is not None:
            raise DataError(say("not_finite", name=name, row=row))
    if len(x) != len(y):
        shapes = {"x": str(tuple(x.shape)), "y": str(tuple(y.shape))}
        raise ShapeError(say("other_rows", **shapes))


def _check_devices(device: torch.device, **rows: Tensor | None) -> None:
    """Refuse a table that does not lie where the network does."""
    for name, value in rows.items():
        if isinstance(value, Tensor) and value.device != device:
            raise DataError(say("other_device", name=name, got=value.device, device=device))


def _first_not_finite(rows: Tensor) -> int | None:
    """The first row with a number that is not finite, found part by part."""
    for first in range(0, len(rows), ROWS_AT_ONCE):
        finite = torch.isfinite(rows[first : first + ROWS_AT_ONCE])
        if not finite.all():
            return first + int(torch.nonzero(~finite)[0, 0])
    return None


def _check_labels(labels: Tensor, classes: int, ignored: int) -> None:
    """Refuse labels that are no numbers of classes, also in rows on which nothing was tried."""
    wrong = ((labels < 0) | (labels >= classes)) & (labels != ignored)
    if wrong.any():
        row, label = int(wrong.nonzero()[0, 0]), int(labels[wrong][0])
        gaps = {"last": classes - 1, "classes": classes, "ignored": ignored}
        raise DataError(say("labels", label=label, row=row, **gaps))


def check_weight(loss: AnyLoss, y: Tensor, weight: Any) -> None:
    """Refuse weights that are none, that are all 0, or that the loss has no way to carry."""
    scale = scale_of(loss)
    if isinstance(scale, Refusal):
        raise SettingError(say("weight_of_loss", why=scale.text))
    if y.ndim > 1 and (not y.is_floating_point() or (scale is Scale.COLUMNS and y.ndim > 2)):
        shape = str(tuple(y.shape))
        raise SettingError(say("weight_of_rows", loss=Loss.of(loss).name, shape=shape))
    require_tensors("Problem", weight=weight)
    if tuple(weight.shape) != (len(y),):
        raise ShapeError(say("weight_shape", rows=len(y), shape=str(tuple(weight.shape))))
    valid = torch.isfinite(weight) & (weight >= 0)
    if not valid.all():
        row = int(torch.nonzero(~valid)[0, 0])
        raise DataError(say("weight_value", got=weight[row].item(), row=row))
    if not (weight > 0).any():
        raise DataError(say("weight_zero"))


def check_not_negative(name: str, value: Any) -> None:
    """Refuse a setting that is no number, 0 or more."""
    if not (isinstance(value, Real) and 0 <= float(value) < math.inf):
        raise SettingError(say("not_negative", name=name, got=value))
