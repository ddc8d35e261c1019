"""What every objective computes, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.objective.messages import say
from derivable.problem import Problem

if TYPE_CHECKING:
    from derivable.compiler.jit import Compiled


class ForProblems:
    """What runs some problems, and states in `refusal` why it cannot have another.

    `takes_shards` is whether it runs a problem whose rows lie in several processes. Raises
    SettingError for a problem that it refuses.
    """

    name: str
    takes_shards: ClassVar[bool] = False

    def __init__(self, problem: Problem) -> None:
        reason = self._refuses_shard(problem) or self.refusal(problem)
        if reason:
            raise SettingError(reason)

    @classmethod
    def _refuses_shard(cls, problem: Problem) -> str:
        if problem.shard is None or cls.takes_shards:
            return ""
        return say("no_shards", name=cls.name)

    @classmethod
    def refusal(cls, problem: Problem) -> str:
        """Why it cannot have this problem here; empty where it can."""
        return ""

    @classmethod
    def supports(cls, problem: Problem) -> bool:
        """Whether it can have this problem here."""
        return not (cls._refuses_shard(problem) or cls.refusal(problem))


class Objective(ForProblems, ABC):
    """The loss of a Problem, its gradient and its Hessian at a flat parameter vector `theta` (P,).

    `dtype` is that of the `theta` it takes, and of all that it returns. A subclass computes
    `data_value_and_gradient` and `data_hvp`, those of the loss on the table; the penalty of the
    problem is added here.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem, self.dtype = problem, problem.dtype

    @cached_property
    def decay(self) -> Tensor | None:
        """The penalty of each parameter, shape (P,); None without one."""
        return self.problem.decay if self.problem.penalty else None

    def value(self, theta: Tensor) -> Tensor:
        """The loss and the penalty, shape ()."""
        loss = self.data_value(theta)
        return loss if self.decay is None else loss + self.penalty(theta)

    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss and the penalty, shape (), and their gradient, shape (P,).

        The caller may read them until the next call; after that their memory may be reused.
        """
        loss, gradient = self.data_value_and_gradient(theta)
        if self.decay is None:
            return loss, gradient
        return loss + self.penalty(theta), gradient.addcmul_(self.decay, theta)

    def hvp(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian-vector product, exactly: the Hessian (P, P) times `direction` (P,): (P,)."""
        product = self.data_hvp(theta, direction)
        return product if self.decay is None else product + self.decay * direction

    def penalty(self, theta: Tensor) -> Tensor:
        """Half of the penalty's factor times the squared length of the weights, shape ()."""
        assert self.decay is not None  # it is asked for where there is one
        return torch.dot(self.decay * theta, theta) / 2

    def data_value(self, theta: Tensor) -> Tensor:
        """The loss alone, shape ()."""
        return self.data_value_and_gradient(theta)[0]

    @abstractmethod
    def data_value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss alone, shape (), and its gradient, shape (P,), whose memory may be reused."""

    @abstractmethod
    def data_hvp(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian of the loss alone times `direction` (P,), exactly: (P,)."""

    def routines(self, *, hvp: bool) -> list[Compiled]:
        """What of compiled code it needs, that of `hvp` only where it is wanted."""
        return []
