"""Every Function of the library against PyTorch's own, forward and backward.

    python benchmarks/library.py                          a table
    python benchmarks/library.py --write docs/times.json  for the pages of the gallery
    python benchmarks/library.py --quick                  tiny sizes, to see that it runs

Ours (`.apply`) and PyTorch's take turns on the same float32 inputs, on one thread, and must give
the same gradients; the median of the ratios over the turns is kept. Where PyTorch has no function
of its own, the peer is the same formula in its operations, differentiated by autograd.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch
from _common import machine

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.cases import CASES  # noqa: E402

N = "torch.nn.functional."
PEERS = {  # how the expressions of the tests are called in PyTorch
    "Add": "torch.add", "BatchNorm": N + "batch_norm", "Cholesky": "torch.linalg.cholesky",
    "BinaryCrossEntropyWithLogits": N + "binary_cross_entropy_with_logits",
    "CrossEntropy": N + "cross_entropy", "ELU": N + "elu",
    "GELU": N + "gelu", "GRUCell": "torch.gru_cell", "Hardswish": N + "hardswish",
    "Huber": N + "huber_loss", "KLDivergence": N + "kl_div", "L1": N + "l1_loss",
    "LSTMCell": "torch.lstm_cell", "LayerNorm": N + "layer_norm", "Linear": N + "linear",
    "Max": "torch.amax", "MaxPool2d": N + "max_pool2d", "NLL": N + "nll_loss",
    "Norm": "torch.linalg.vector_norm", "PoissonNLL": N + "poisson_nll_loss",
    "ScaledDotProductAttention": N + "scaled_dot_product_attention (math backend)",
    "Solve": "torch.linalg.solve",
    "Subtract": "torch.sub", "LogSigmoid": N + "logsigmoid", "Softplus": N + "softplus",
    "AvgPool2d": N + "avg_pool2d", "Inverse": "torch.linalg.inv",
}  # fmt: skip
FORMULA = "the same formula in PyTorch's operations"


def positive(*shape):
    """Numbers between 0.5 and 2."""
    return 0.5 + 1.5 * torch.rand(shape)


def well(n):
    """A positive definite matrix, far from singular."""
    a = torch.randn(n, n)
    return a @ a.t() / n + torch.eye(n)


def inputs_of(name, k):
    """The inputs of a Function: k = 16 is the size that is reported, k = 1 a tiny one."""
    rows, randn, labels = 32 * k, torch.randn, torch.randint(0, 10, (512 * k,))
    table = {
        "Linear": lambda: [randn(rows, 256), randn(256, 256), randn(256)],
        "MatMul": lambda: [randn(rows, 256), randn(256, 256)],
        "Power": lambda: [positive(rows, 1000), 2.5],
        "Log": lambda: [positive(rows, 1000)],
        "Sqrt": lambda: [positive(rows, 1000)],
        "BinaryCrossEntropyWithLogits": lambda: [
            randn(rows, 1000), torch.rand(rows, 1000), None, "mean", None],
        "CrossEntropy": lambda: [randn(512 * k, 10), labels, None, -100, "mean", 0.0],
        "NLL": lambda: [randn(512 * k, 10), labels, None, -100, "mean"],
        "KLDivergence": lambda: [
            randn(rows, 1000).log_softmax(1), randn(rows, 1000).softmax(1), "batchmean", False],
        "PoissonNLL": lambda: [
            randn(rows, 1000), positive(rows, 1000).round(), True, False, 1e-8, "mean"],
        "LayerNorm": lambda: [randn(rows, 512), (512,), randn(512), randn(512), 1e-5],
        "RMSNorm": lambda: [randn(rows, 512), (512,), randn(512), 1e-5],
        "BatchNorm": lambda: [
            randn(2 * k, 16, 32, 32), None, None, randn(16), randn(16), True, 0.1, 1e-5],
        "GroupNorm": lambda: [randn(2 * k, 16, 32, 32), 4, randn(16), randn(16), 1e-5],
        "Embedding": lambda: [torch.randint(0, 500, (512 * k,)), randn(500, 64), None],
        "Dropout": lambda: [
            randn(rows, 1000), 0.3, True, None, torch.rand(rows, 1000) > 0.3],
        "ScaledDotProductAttention": lambda: [
            *(randn(k // 2 or 1, 4, 128, 64) for _ in range(3)), None, False, None],
        "LSTMCell": lambda: [
            randn(8 * k, 64), randn(8 * k, 64), randn(8 * k, 64), randn(256, 64), randn(256, 64),
            randn(256), randn(256)],
        "GRUCell": lambda: [
            randn(8 * k, 64), randn(8 * k, 64), randn(192, 64), randn(192, 64), randn(192),
            randn(192)],
        "Flatten": lambda: [randn(rows, 20, 50), 1, -1],
        "Conv1d": lambda: [randn(2 * k, 16, 256), randn(32, 16, 3), randn(32), 1, 1, 1, 1],
        "Conv2d": lambda: [randn(k, 16, 32, 32), randn(32, 16, 3, 3), randn(32), 1, 1, 1, 1],
        "MaxPool2d": lambda: [randn(k, 16, 32, 32), 2, 2, 0, 1, False],
        "AvgPool2d": lambda: [randn(k, 16, 32, 32), 2, 2, 0, False, True, None],
        "Solve": lambda: [well(8 * k), randn(8 * k, 16), True],
        "Inverse": lambda: [well(8 * k)],
        "LogDet": lambda: [well(8 * k)],
        "Cholesky": lambda: [well(8 * k), False],
    }  # fmt: skip
    if name in table:
        return table[name]()
    case = next(c for c in CASES if c.function.__name__ == name)
    same = [v for v in case.draw() if not isinstance(v, torch.Tensor)]
    tensors = sum(isinstance(v, torch.Tensor) for v in case.draw())
    return [*(randn(rows, 1000) for _ in range(tensors)), *same]


def peer_of(function, reference):
    """What the reference is called."""
    name = function.__name__
    if name in PEERS:
        return PEERS[name]
    module = getattr(reference, "__module__", None) or ""
    if module.startswith("tests"):
        return FORMULA
    return f"{N if module == 'torch.nn.functional' else 'torch.'}{reference.__name__}"


def once(function, inputs, tensors, grads):
    """Seconds of one forward and backward, and the gradients."""
    start = time.perf_counter()
    output = function(*inputs)
    gradients = torch.autograd.grad(output, tensors, grads, allow_unused=True)
    return time.perf_counter() - start, gradients


def measure(case, k, turns):
    """The median ratio of ours to PyTorch's."""
    inputs = inputs_of(case.function.__name__, k)
    tensors = [v for v in inputs if isinstance(v, torch.Tensor) and v.is_floating_point()]
    if case.function.__name__ in {"KLDivergence", "PoissonNLL", "BinaryCrossEntropyWithLogits"}:
        tensors = tensors[:1]  # targets are data
    for tensor in tensors:
        tensor.requires_grad_()
    output = case.reference(*inputs)
    grads = [torch.randn_like(o) for o in (output if isinstance(output, tuple) else (output,))]
    ratios = []
    for turn in range(turns + 2):
        theirs, expected = once(case.reference, inputs, tensors, grads)
        ours, gradients = once(case.function.apply, inputs, tensors, grads)
        for gradient, right in zip(gradients, expected, strict=True):
            assert (gradient - right).abs().max() <= 1e-3 * right.abs().max().clamp_min(1)
        if turn >= 2:  # the first two warm up
            ratios.append(ours / theirs)
    sizes = [list(v.shape) for v in inputs if isinstance(v, torch.Tensor)]
    return statistics.median(ratios), sizes


def main():
    """Print a Markdown table, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--write", type=Path, help="a file for the figures, as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    k, turns = (1, 1) if options.quick else (16, 61)
    figures, seen = {}, set()
    print("| Function | inputs | beside | ratio |")
    print("|---|---|---|---|")
    for case in CASES:
        if case.function in seen:
            continue
        seen.add(case.function)
        ratio, sizes = measure(case, k, turns)
        shown = ", ".join(f"({', '.join(map(str, s))}{',' * (len(s) == 1)})" for s in sizes)
        peer = peer_of(case.function, case.reference)
        print(f"| {case.function.__name__} | {shown} | {peer} | {ratio:.2f} |", flush=True)
        figures[case.function.__name__] = {"inputs": shown, "peer": peer, "ratio": round(ratio, 2)}
    if options.write:
        found = {"machine": machine(), "turns": turns, "functions": figures}
        options.write.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
