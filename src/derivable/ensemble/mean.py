"""The mean of several networks' outputs, as one network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from derivable.ensemble.messages import say
from derivable.errors import SettingError
from derivable.functions import Linear, ReLU
from derivable.layer import Layer
from derivable.network import Network


def mean_of(networks: Sequence[Network], shares: Sequence[float] = ()) -> Network:
    """One network whose outputs are the mean of theirs, which are perceptrons of one depth.

    Each counts as much as its share, or all the same; the shares add up to 1. Their hidden units
    stand side by side, and no weight leads from one's to another's. That is the mean where the
    activation is elementwise.
    """
    if len(networks) == 1:
        return networks[0]
    shares = shares or [1 / len(networks)] * len(networks)
    each = zip(*([p.detach() for p in network.parameters()] for network in networks), strict=True)
    parameters = list(each)  # for each parameter, that of all networks
    weights, biases = parameters[::2], parameters[1::2]
    last = len(weights) - 1
    merged: list[Tensor] = []
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        if i == last:
            outs = [one * share for one, share in zip(w, shares, strict=True)]
            constants = [one * share for one, share in zip(b, shares, strict=True)]
            out = torch.cat(outs) if i else torch.stack(outs).sum(0)
            merged += [out, torch.stack(constants).sum(0)]
        else:
            merged += [torch.cat(w, 1) if i == 0 else torch.block_diag(*w), torch.cat(b)]
    linear = iter(Layer(Linear, w=w, b=b) for w, b in zip(merged[::2], merged[1::2], strict=True))
    kinds = [layer.function for layer in networks[0].layers]
    layers = [next(linear) if kind is Linear else Layer(kind) for kind in kinds]
    return Network(layers).eval()


def through_relu(line: Network, like: Network) -> Network:
    """A linear model as a perceptron with the layers of another: z is relu(z) - relu(-z)."""
    w, b = (p.detach() for p in line.parameters())
    one = torch.eye(len(b), dtype=w.dtype)
    parts = [(torch.cat([w, -w], 1), torch.cat([b, -b]))]
    hidden = sum(layer.function is ReLU for layer in like.layers)
    parts += [(torch.block_diag(one, one), torch.zeros_like(parts[0][1]))] * (hidden - 1)
    parts += [(torch.cat([one, -one]), torch.zeros_like(b))]
    linear = iter(Layer(Linear, w=w, b=b) for w, b in parts)
    kinds = [layer.function for layer in like.layers]
    return Network([next(linear) if kind is Linear else Layer(kind) for kind in kinds]).eval()


def check_elementwise(networks: Sequence[Network], x: Tensor) -> None:
    """Refuse an activation of several networks that is not elementwise; tried on x (N, D).

    It is tried in evaluation mode, in which they predict: Dropout is elementwise there.
    """
    if len(networks) < 2:
        return
    networks = [network.trained(network.theta) for network in networks]
    outputs = [network.forward_by_hand(x)[0] for network in networks]
    merged, _ = mean_of(networks).forward_by_hand(x)
    if not torch.allclose(merged, torch.stack(outputs).mean(0), rtol=1e-3, atol=1e-5):
        raise SettingError(say("elementwise"))
