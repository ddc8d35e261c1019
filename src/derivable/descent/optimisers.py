"""Momentum, Nesterov and Adam: PyTorch's optimisers on the same loss, step by step."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from derivable.descent.blocks import StepByStep
from derivable.descent.checks import check_positive, check_share
from derivable.descent.messages import say
from derivable.descent.request import DescentRequest
from derivable.errors import SettingError
from derivable.objective import Objective
from derivable.problem import Problem, check_not_negative
from derivable.stepper import PlainSteps, Stepper


@dataclass(frozen=True)
class Optimiser(StepByStep):
    """A method whose steps are those of an optimiser of PyTorch on the flat `theta`."""

    @abstractmethod
    def make(self, theta: Tensor) -> torch.optim.Optimizer:
        """The optimiser; each step is given its learning rate."""

    @property
    def stable(self) -> float:
        """The largest lr * lambda_max at which its steps are stable on a quadratic loss, or 0."""
        return 0.0

    def shrink(self, problem: Problem, lr: float) -> Tensor | None:
        """What the parameters (P,) are multiplied by before each step; None where by nothing."""
        return None

    def stepper(self, request: DescentRequest) -> Stepper:
        """The steps of the optimiser, which goes on with what a checkpoint has kept."""
        rows = self.rows(request.problem)
        return OptimiserSteps(self.objective(request), self, request.memory, rows=rows)


class OptimiserSteps(PlainSteps):
    """The plain loop with an optimiser of PyTorch in the place of the step.

    `memory` is the optimiser's state: it begins with that of a checkpoint.
    """

    def __init__(
        self,
        objective: Objective,
        method: Optimiser,
        memory: dict[str, Tensor],
        *,
        rows: int | None = None,
    ) -> None:
        super().__init__(objective, rows=rows)
        self.method, self.stable, self._memory = method, method.stable, memory
        self._theta: Tensor | None = None  # the memory of the vector that moves

    def take_steps(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Move `theta` by as many steps as there are `losses`; fill in the loss before each."""
        if self._theta is None or self._theta.data_ptr() != theta.data_ptr():
            self._begin(theta)
        assert self._theta is not None  # it has begun
        self._optimiser.param_groups[0]["lr"] = lr
        shrink = self.method.shrink(self.objective.problem, lr)
        for k in range(len(losses)):
            losses[k], gradient = self.objective.value_and_gradient(theta)
            self._theta.grad = gradient.clone()
            if shrink is not None:
                theta.mul_(shrink)
            self._optimiser.step()

    def memory(self) -> dict[str, Tensor]:
        """The optimiser's state, copied."""
        state = self._memory if self._theta is None else self._optimiser.state.get(self._theta, {})
        return {k: value.clone() for k, value in state.items() if isinstance(value, Tensor)}

    def _begin(self, theta: Tensor) -> None:
        """An optimiser of this vector."""
        memory = self.memory()
        self._theta = theta.detach().requires_grad_()  # shares its memory
        self._optimiser = self.method.make(self._theta)
        if memory:
            self._optimiser.state[self._theta] = {
                name: value.to(theta.device) if value.shape == theta.shape else value
                for name, value in memory.items()
            }


@dataclass(frozen=True)
class Momentum(Optimiser):
    """Steps with heavy-ball momentum: v <- momentum * v + gradient, theta <- theta - lr * v.

    Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, as in
    `torch.optim.SGD`.
    """

    momentum: float = 0.9

    name: ClassVar[str] = "momentum"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("momentum", self.momentum)

    def make(self, theta: Tensor) -> torch.optim.Optimizer:
        """PyTorch's SGD with momentum."""
        return torch.optim.SGD([theta], momentum=self.momentum)

    @property
    def stable(self) -> float:
        """Where the roots of z^2 - (1 + m - a) z + m, a = lr * lambda, leave the unit circle."""
        return 2 * (1 + self.momentum)


@dataclass(frozen=True)
class Nesterov(Optimiser):
    """Steps with Nesterov's momentum, as in `torch.optim.SGD(nesterov=True)`.

    v <- momentum * v + gradient, theta <- theta - lr * (gradient + momentum * v).
    """

    momentum: float = 0.9

    name: ClassVar[str] = "nesterov"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("momentum", self.momentum)
        if self.momentum == 0:
            raise SettingError(say("nesterov"))

    def make(self, theta: Tensor) -> torch.optim.Optimizer:
        """PyTorch's SGD with Nesterov's momentum."""
        return torch.optim.SGD([theta], momentum=self.momentum, nesterov=True)

    @property
    def stable(self) -> float:
        """Where the roots of z^2 - (1 + m) (1 - a) z + m (1 - a) leave the unit circle."""
        return 2 * (1 + self.momentum) / (1 + 2 * self.momentum)


@dataclass(frozen=True)
class Adam(Optimiser):
    """Kingma and Ba, "Adam: a method for stochastic optimization", 2015, as in `torch.optim.Adam`.

    `betas` are the decay rates of the means of the gradient and of its square, `eps` is added to
    the root of the latter. `weight_decay` w multiplies the weights, not the biases, by 1 - lr * w
    before each step, as in `torch.optim.AdamW` (Loshchilov and Hutter, "Decoupled weight decay
    regularization", 2019); it is no part of the loss.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    name: ClassVar[str] = "adam"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.betas) != 2:
            raise SettingError(say("betas", got=self.betas))
        object.__setattr__(self, "betas", tuple(self.betas))  # JSON makes lists of them
        for beta in self.betas:
            check_share("betas", beta)
        check_positive("eps", self.eps)
        check_not_negative("weight_decay", self.weight_decay)

    def make(self, theta: Tensor) -> torch.optim.Optimizer:
        """PyTorch's Adam."""
        return torch.optim.Adam([theta], betas=self.betas, eps=self.eps)

    def shrink(self, problem: Problem, lr: float) -> Tensor | None:
        """1 - lr * weight_decay for weights and 1 for biases."""
        return 1 - lr * self.weight_decay * problem.is_weight if self.weight_decay else None
