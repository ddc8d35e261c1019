"""Handwritten digits, by a convolutional network whose backward is written by hand.

    python examples/digits.py

Every layer is a Function of the library with its parameters and options. The network descends in
mini-batches with Adam; no autograd takes part. The labels are class indices. While it descends
Dropout drops; the network that is returned is in evaluation mode, and predicts without.
"""

from __future__ import annotations

import math

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from derivable import Adam, Cosine, Layer, Linear, Network, ReLU, descend
from derivable.functions import Conv2d, CrossEntropy, Dropout, Flatten, LayerNorm, MaxPool2d

generator = torch.Generator().manual_seed(0)


def normal(*shape: int, inputs: int) -> torch.Tensor:
    """Weights of He's size, by which ReLUs keep the size of what `inputs` units feed them."""
    return math.sqrt(2 / inputs) * torch.randn(shape, generator=generator)


images, digits = load_digits(return_X_y=True)  # (1797, 64), (1797,)
images = torch.tensor(images / 16, dtype=torch.float32).view(-1, 1, 8, 8)
split = train_test_split(images, torch.tensor(digits), test_size=0.25, random_state=0)
x, x_test, y, y_test = split

network = Network(
    [
        Layer(Conv2d, weight=normal(8, 1, 3, 3, inputs=9), bias=torch.zeros(8), padding=1),
        Layer(ReLU),  # (N, 8, 8, 8)
        Layer(MaxPool2d, kernel_size=2),  # (N, 8, 4, 4)
        Layer(Flatten),  # (N, 128)
        Layer(Linear, w=normal(128, 32, inputs=128), b=torch.zeros(32)),
        Layer(LayerNorm, normalized_shape=(32,), weight=torch.ones(32), bias=torch.zeros(32)),
        Layer(ReLU),
        Layer(Dropout, p=0.2, generator=generator),
        Layer(Linear, w=normal(32, 10, inputs=32), b=torch.zeros(10)),  # (N, 10)
    ]
)
print(network)

run = descend(network, CrossEntropy, x, y, lr=Cosine(5e-3), steps=500, method=Adam(batch_size=64))
accuracy = (run.network(x_test).argmax(1) == y_test).double().mean().item()

print(f"{run.steps} steps by Adam, objective {run.objective}, {run.seconds:.1f} s")
print(f"accuracy on {len(y_test)} held-out images: {accuracy:.3f}")
