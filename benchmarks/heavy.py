"""The heavy Functions of the library against PyTorch's own autograd.

    python benchmarks/heavy.py            forward and backward at ordinary sizes, float32
    python benchmarks/heavy.py --quick    tiny sizes, to see that it runs

Ours and PyTorch's take turns on the same inputs and must give the same gradients; the median of
the ratios over the turns is shown.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch.nn import functional as F

from derivable import functional


def conv2d(size):
    """A batch of 16 feature maps through 32 kernels."""
    x = torch.randn(size, 16, 32, 32)
    return (x, torch.randn(32, 16, 3, 3), torch.randn(32), 1, 1), F.conv2d, functional.conv2d


def layer_norm(size):
    """Rows of 512 features."""
    x = torch.randn(256 * size, 512)
    weight, bias = torch.randn(512), torch.randn(512)
    return (x, (512,), weight, bias), F.layer_norm, functional.layer_norm


def attention(size):
    """Eight heads, 256 positions of 64 features."""
    q, k, v = (torch.randn(max(size // 2, 1), 8, 256, 64) for _ in range(3))
    ours = functional.scaled_dot_product_attention
    return (q, k, v), F.scaled_dot_product_attention, ours


def cross_entropy(size):
    """Rows of 1,000 classes."""
    x = torch.randn(256 * size, 1000)
    return (x, torch.randint(1000, (256 * size,))), F.cross_entropy, functional.cross_entropy


def milliseconds(function, inputs, tensors, grad_output):
    """Time of one forward and backward, and its gradients."""
    start = time.perf_counter()
    gradients = torch.autograd.grad(function(*inputs), tensors, grad_output)
    return (time.perf_counter() - start) * 1e3, gradients


def measure(case, turns):
    """Median milliseconds of PyTorch and of ours, and the median ratio."""
    inputs, theirs, ours = case
    tensors = [v for v in inputs if isinstance(v, torch.Tensor) and v.is_floating_point()]
    for tensor in tensors:
        tensor.requires_grad_()
    grad_output = torch.randn_like(theirs(*inputs))
    times = []
    for turn in range(turns + 2):
        spent, expected = milliseconds(theirs, inputs, tensors, grad_output)
        spent_by_ours, gradients = milliseconds(ours, inputs, tensors, grad_output)
        for gradient, right in zip(gradients, expected, strict=True):
            assert (gradient - right).abs().max() <= 1e-3 * right.abs().max().clamp_min(1)
        if turn >= 2:  # the first two warm up
            times.append((spent, spent_by_ours))
    medians = [statistics.median(column) for column in zip(*times, strict=True)]
    return *medians, statistics.median(b / a for a, b in times)


def main():
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    size, turns = (1, 1) if parser.parse_args().quick else (16, 25)
    torch.manual_seed(0)
    print("| forward and backward | PyTorch's autograd | derivable | ratio |")
    print("|---|---|---|---|")
    for make in (conv2d, layer_norm, attention, cross_entropy):
        theirs, ours, ratio = measure(make(size), turns)
        print(f"| {make.__name__} | {theirs:.1f} ms | {ours:.1f} ms | {ratio:.2f} |")


if __name__ == "__main__":
    main()
