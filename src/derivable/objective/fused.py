"""The fused objective: forward and backward of a whole network in one compiled pass (Numba)."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.functions import ReLU, Tanh
from derivable.network import Network
from derivable.objective.mlp import Mlp

ACTIVATIONS = (Tanh, ReLU)
DTYPES = (torch.float32, torch.float64)
BLOCK = 512  # rows; a block of 8 features and 10 hidden units is then 60 KB of float32


class Fused:
    """MSE of a multi-layer perceptron on x (N, D), y (N, K), summed over the K columns.

    Supports Linear layers with Tanh or ReLU between them, in float32 or float64 on the CPU, when
    Numba is installed (the extra `fast`). Raises SettingError otherwise.
    """

    name = "fused"

    @staticmethod
    def supports(network: Network, loss: type[Function]) -> bool:
        """Whether it can stand for this network and loss, here."""
        return (
            importlib.util.find_spec("numba") is not None
            and Mlp.of(network, loss, ACTIVATIONS) is not None
            and all(p.dtype in DTYPES and p.device.type == "cpu" for p in network.parameters())
        )

    def __init__(self, network: Network, loss: type[Function], x: Tensor, y: Tensor) -> None:
        mlp = Mlp.require(network, loss, ACTIVATIONS, self.name)
        if not self.supports(network, loss):
            raise SettingError(
                "the fused objective runs in float32 or float64 on the CPU and needs Numba: "
                "pip install 'derivable[fast]'"
            )
        self.kernels = _kernels()
        codes = {Tanh: self.kernels.TANH, ReLU: self.kernels.RELU}
        kinds = [codes[activation] for activation in mlp.activations]
        self.kinds = np.array([*kinds, self.kernels.IDENTITY])
        self.sizes = np.array(mlp.sizes)
        self.rows = len(x)
        self.table = _blocks(torch.cat([x, y], 1))  # (blocks, (D + K) * B)
        tasks = min(torch.get_num_threads(), len(self.table))
        dtype = self.table.dtype
        self.units = np.empty((tasks, self.sizes[1:].sum() * BLOCK), dtype)
        self.grads = np.empty((tasks, 2, self.sizes[1:].max() * BLOCK), dtype)
        self.partial = np.empty((tasks, network.theta.numel() + 1))
        self.gradient = torch.empty_like(network.theta)  # (P,)
        self.value_and_gradient(network.theta)  # compiles, so that no later call has to wait

    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient (P,) at `theta` (P,); the gradient is a reused buffer."""
        loss = self.kernels.loss_and_gradient(
            theta.numpy(),
            self.table,
            self.rows,
            self.sizes,
            self.kinds,
            self.units,
            self.grads,
            self.partial,
            self.gradient.numpy(),
        )
        return theta.new_tensor(loss), self.gradient


def _kernels() -> ModuleType:
    """The compiled loops; Numba is imported only when it is about to be used."""
    from derivable.objective import kernels

    return kernels


def _blocks(columns: Tensor) -> np.ndarray[tuple[int, int], np.dtype[np.floating]]:
    """(N, C) as blocks of BLOCK rows, features-major inside a block, the last one padded with 0."""
    missing = -len(columns) % BLOCK
    padded = torch.nn.functional.pad(columns, (0, 0, 0, missing))
    blocks = padded.view(-1, BLOCK, columns.size(1)).transpose(1, 2)
    return blocks.reshape(len(blocks), -1).contiguous().numpy()
