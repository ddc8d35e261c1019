"""The price of `.apply`: ours against PyTorch's own `Function.apply`, for the same rule.

    python benchmarks/overhead.py            forward and backward on a (64, 64) tensor
    python benchmarks/overhead.py --quick    few repeats, to see that it runs

Both classes hold the same forward and backward. They take turns, and the median of the ratios
over the turns is shown: a machine that slows down slows both.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

import derivable


def tanh_rule(base):
    """Tanh, as a subclass of `base`."""

    class Tanh(base):
        @staticmethod
        def forward(ctx, x):
            output = torch.tanh(x)
            ctx.save_for_backward(output)
            return output

        @staticmethod
        def backward(ctx, grad_output):
            (output,) = ctx.saved_tensors
            return grad_output * (1 - output**2)

    return Tanh


def linear_rule(base):
    """An affine map, as a subclass of `base`."""

    class Linear(base):
        @staticmethod
        def forward(ctx, x, w, b):
            ctx.save_for_backward(x, w)
            return x @ w + b

        @staticmethod
        def backward(ctx, grad_output):
            x, w = ctx.saved_tensors
            return grad_output @ w.t(), x.t() @ grad_output, grad_output.sum(0)

    return Linear


def swish_rule(base):
    """Swish, x sigmoid(x), with a saved intermediate, as a subclass of `base`."""

    class Swish(base):
        @staticmethod
        def forward(ctx, x):
            s = torch.sigmoid(x)
            ctx.save_for_backward(s, x)
            return x * s

        @staticmethod
        def backward(ctx, grad_output):
            s, x = ctx.saved_tensors
            return grad_output * (s + x * s * (1 - s))

    return Swish


def microseconds(function, inputs, grad_output, calls):
    """Time of one forward and backward."""
    start = time.perf_counter()
    for _ in range(calls):
        torch.autograd.grad(function.apply(*inputs), inputs, grad_output)
    return (time.perf_counter() - start) / calls * 1e6


def main():
    """Print a Markdown table of medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repeats, to see that it runs")
    turns, calls = (2, 5) if parser.parse_args().quick else (40, 300)
    torch.set_num_threads(1)
    square = torch.randn(64, 64, requires_grad=True)
    row = torch.randn(64, requires_grad=True)
    grad_output = torch.randn(64, 64)
    print("| forward and backward, (64, 64) | torch.autograd.Function | derivable | ratio |")
    print("|---|---|---|---|")
    for rule, inputs in (
        (tanh_rule, (square,)),
        (linear_rule, (square, square.detach().clone().requires_grad_(), row)),
        (swish_rule, (square,)),
    ):
        functions = rule(torch.autograd.Function), rule(derivable.Function)
        for function in functions:
            microseconds(function, inputs, grad_output, calls)  # warm up
        times = [
            tuple(microseconds(f, inputs, grad_output, calls) for f in functions)
            for _ in range(turns)
        ]
        theirs, ours = (statistics.median(column) for column in zip(*times, strict=True))
        ratio = statistics.median(b / a for a, b in times)
        name = functions[0].__name__
        print(f"| {name} | {theirs:.0f} us | {ours:.0f} us | {ratio:.2f} |")


if __name__ == "__main__":
    main()
