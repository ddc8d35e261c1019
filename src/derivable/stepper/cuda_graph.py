"""The recorded loop: steps on a CUDA device, recorded once as a graph and run by one launch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from derivable.objective import fastest
from derivable.objective.messages import say
from derivable.problem import Problem
from derivable.stepper.base import ExactStepper

KIND = "cuda"  # of devices
STEPS = 25  # of one graph; what is left of a block runs as graphs of one step
WORTH = 100  # steps, below which recording takes longer than they do
WARM_UP = 3  # runs before a recording, as PyTorch asks for
TRIAL_ROWS = 2  # on which it is found out whether a step can be recorded


class CudaGraphSteps(ExactStepper):
    """Exact steps of any network on a CUDA device, a whole block of them without Python.

    The gradient is that of the fastest objective there: features-major, or Functions by hand. All
    steps read and write the same memory: theta, the learning rate, and the losses of a piece. A
    network that changes as it runs, and Functions that read values of tensors in Python, cannot be
    recorded (CUDA graphs: https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs).
    """

    name = "cuda graph"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._steps = _Steps(problem, self.piece)
        self.objective = self._steps.objective

    @classmethod
    def refusal(cls, problem: Problem) -> str:
        """Why it cannot have this problem; found out by recording a step on two rows."""
        if problem.device.type != KIND:
            return say("cuda_graph_device", device=problem.device)
        if problem.network.changing:
            return say("cuda_graph_changes", name=problem.network.changing[0])
        try:
            _Steps(problem.part(slice(TRIAL_ROWS)), 1)
        except RuntimeError as error:  # PyTorch's, for what waits for the device
            return say("cuda_graph_record", why=str(error).partition("\n")[0])
        return ""

    @classmethod
    def pays(cls, problem: Problem, steps: int) -> bool:
        """Whether there are enough steps to make up for the recording."""
        return steps >= WORTH

    def take_steps(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Move `theta` by so many exact steps as there are `losses`, the loss before each."""
        for part in losses.split(self.piece):
            part.copy_(self._steps.run(theta, lr, len(part)))


class _Steps:
    """Recordings of one step and of several, with the memory that they share."""

    def __init__(self, problem: Problem, most: int) -> None:
        theta = problem.theta
        self.objective = fastest(problem)(problem)
        self._theta, self._lr = theta, theta.new_zeros(())
        self._losses = theta.new_zeros(max(most, WARM_UP), dtype=torch.float64)
        self._at = theta.new_zeros(1, dtype=torch.int64)  # the loss that is next
        with torch.cuda.device_of(theta):
            self._one = record(self._step, WARM_UP)
            self._many = record(self._several, 0) if most >= STEPS else self._one

    def run(self, theta: Tensor, lr: float, steps: int) -> Tensor:
        """Move `theta` by `steps` steps, and return the loss before each of them, (steps,)."""
        self._theta.copy_(theta)
        self._lr.fill_(lr)
        self._at.zero_()
        with torch.cuda.device_of(theta):
            for _ in range(steps // STEPS):
                self._many()
            for _ in range(steps % STEPS):
                self._one()
        theta.copy_(self._theta)
        return self._losses[:steps]

    def _several(self) -> None:
        for _ in range(STEPS):
            self._step()

    def _step(self) -> None:
        loss, gradient = self.objective.value_and_gradient(self._theta)
        self._losses.index_copy_(0, self._at, loss.double().view(1))
        self._theta -= self._lr * gradient
        self._at += 1


def record(run: Callable[[], None], warm_up: int) -> Callable[[], None]:
    """The operations of `run` on the current CUDA device, as one launch.

    `run` is called a few times before, where memory and libraries are not ready yet. Raises
    RuntimeError where it waits for the device, such as for a number in Python.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(warm_up):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay
