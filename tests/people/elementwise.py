"""Activations, formulas of physics, quantisers and options. All are right."""
# mypy: ignore-errors

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


class Swish(Function):
    @staticmethod
    def forward(ctx, i):
        result = i * torch.sigmoid(i)
        ctx.save_for_backward(i)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        i = ctx.saved_tensors[0]
        s = torch.sigmoid(i)
        return grad_output * (s * (1 + i * (1 - s)))


class LeakyReLU(Function):
    @staticmethod
    def forward(ctx, x, negative_slope=0.01):
        ctx.save_for_backward(x)
        ctx.negative_slope = negative_slope
        return torch.where(x > 0, x, negative_slope * x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return torch.where(x > 0, g, ctx.negative_slope * g), None


class PReLU(Function):
    @staticmethod
    def forward(ctx, x, a):
        ctx.save_for_backward(x, a)
        return torch.where(x > 0, x, a * x)

    @staticmethod
    def backward(ctx, g):
        x, a = ctx.saved_tensors
        ga = torch.where(x > 0, torch.zeros_like(x), x * g)
        return torch.where(x > 0, g, a * g), ga.sum_to_size(a.shape)


class Power(Function):
    @staticmethod
    def forward(ctx, x, p):
        ctx.save_for_backward(x)
        ctx.p = p
        return x**p

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * ctx.p * x ** (ctx.p - 1), None


class Log(Function):
    """The logarithm of positive numbers."""

    @staticmethod
    def forward(ctx, t):
        ctx.save_for_backward(t)
        return t.log()

    @staticmethod
    def backward(ctx, dy):
        (t,) = ctx.saved_tensors
        return dy / t


class ArcTanh(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.atanh(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g / (1 - x * x)


class Clamp(Function):
    @staticmethod
    def forward(ctx, x, low, high):
        ctx.save_for_backward(x)
        ctx.low, ctx.high = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        inside = (x >= ctx.low) & (x <= ctx.high)
        return g * inside, None, None


class RoundSTE(Function):
    surrogate = "straight-through estimator"

    @staticmethod
    def forward(ctx, w, bits):
        scale = 2**bits - 1
        return torch.round(w * scale) / scale

    @staticmethod
    def backward(ctx, grad):
        return grad, None


class SignSTE(Function):
    surrogate = "clipped straight-through estimator"

    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return torch.sign(input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * (input.abs() <= 1).to(grad_output.dtype)


class GradReverse(Function):
    surrogate = "gradient reversal"

    @staticmethod
    def forward(ctx, x, lambda_):
        ctx.lambda_ = lambda_
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.neg() * ctx.lambda_, None


class Gaussian(Function):
    @staticmethod
    def forward(ctx, x, mu, sigma):
        y = torch.exp(-((x - mu) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
        ctx.save_for_backward(x, mu, sigma, y)
        return y

    @staticmethod
    def backward(ctx, g):
        x, mu, sigma, y = ctx.saved_tensors
        d = (x - mu) / sigma**2
        gx = -d * y * g
        gs = ((x - mu) ** 2 / sigma**3 - 1 / sigma) * y * g
        return gx, (-gx).sum_to_size(mu.shape), gs.sum_to_size(sigma.shape)


class KineticEnergy(Function):
    @staticmethod
    def forward(ctx, mass, velocity):
        ctx.save_for_backward(mass, velocity)
        return 0.5 * mass * velocity**2

    @staticmethod
    def backward(ctx, grad):
        mass, velocity = ctx.saved_tensors
        return 0.5 * velocity**2 * grad, mass * velocity * grad


class LennardJones(Function):
    """The energy at distances r, for a depth and a diameter that are numbers."""

    @staticmethod
    def forward(ctx, r, epsilon, sigma):
        s6 = (sigma / r) ** 6
        ctx.save_for_backward(r)
        ctx.epsilon, ctx.sigma = epsilon, sigma
        return 4 * epsilon * (s6**2 - s6)

    @staticmethod
    def backward(ctx, g):
        (r,) = ctx.saved_tensors
        s6 = (ctx.sigma / r) ** 6
        return g * 4 * ctx.epsilon * (-12 * s6**2 + 6 * s6) / r, None, None


class GELU(Function):
    @staticmethod
    def forward(ctx, x, approximate):
        if approximate == "tanh":
            u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
            y = 0.5 * x * (1 + torch.tanh(u))
        elif approximate == "none":
            y = x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))
        else:
            raise ValueError(f"approximate {approximate}")
        ctx.save_for_backward(x)
        ctx.approximate = approximate
        return y

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        if ctx.approximate == "tanh":
            c = math.sqrt(2 / math.pi)
            t = torch.tanh(c * (x + 0.044715 * x**3))
            return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x**2)), None
        pdf = torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        return g * (0.5 * (1 + torch.erf(x / math.sqrt(2))) + x * pdf), None


class Dropout(Function):
    @staticmethod
    def forward(ctx, x, p, training):
        if not training:
            ctx.mask = None
            return x.clone()
        mask = (torch.rand_like(x) > p).to(x.dtype) / (1 - p)
        ctx.mask = mask
        return x * mask

    @staticmethod
    def backward(ctx, g):
        return (g if ctx.mask is None else g * ctx.mask), None, None


class NumpyExp(Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.from_numpy(np.asarray(np.exp(x.detach().numpy())))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return torch.from_numpy(np.asarray(g.numpy() * y.numpy()))


class Scale(Function):
    @staticmethod
    def forward(x, scale):
        return x * scale

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, scale = inputs
        ctx.save_for_backward(x)
        ctx.scale = scale

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.scale, None


class SinCos(Function):
    @staticmethod
    def forward(ctx, theta):
        s, c = theta.sin(), theta.cos()
        ctx.save_for_backward(s, c)
        return s, c

    @staticmethod
    def backward(ctx, gs, gc):
        s, c = ctx.saved_tensors
        return gs * c - gc * s


class Polynomial(Function):
    @staticmethod
    def forward(ctx, x, a, b, c):
        ctx.save_for_backward(x, a, b)
        return a * x**2 + b * x + c

    @staticmethod
    def backward(ctx, g):
        x, a, b = ctx.saved_tensors
        return (
            g * (2 * a * x + b),
            (g * x**2).sum_to_size(a.shape),
            (g * x).sum_to_size(b.shape),
            g.sum_to_size(b.shape),
        )


class Scalar(Function):
    """A function of one number."""

    @staticmethod
    def forward(ctx, x):
        if x.dim() != 0:
            raise ValueError("x must be 0-dimensional")
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x.cos()


class Checked(Function):
    """x of shape (batch, 2): polar coordinates."""

    @staticmethod
    def forward(ctx, p):
        assert p.ndim == 2 and p.shape[1] == 2
        r, t = p[:, 0], p[:, 1]
        ctx.save_for_backward(p)
        return torch.stack([r * t.cos(), r * t.sin()], 1)

    @staticmethod
    def backward(ctx, g):
        r, t = ctx.saved_tensors[0].unbind(1)
        gx, gy = g[:, 0], g[:, 1]
        return torch.stack([gx * t.cos() + gy * t.sin(), r * (gy * t.cos() - gx * t.sin())], 1)


class GLU(Function):
    @staticmethod
    def forward(ctx, x):
        a, b = x.chunk(2, dim=-1)
        if a.shape != b.shape:
            raise ValueError("the last size must be even")
        ctx.save_for_backward(a, b)
        return a * b.sigmoid()

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        a, b = ctx.saved_tensors
        s = b.sigmoid()
        return torch.cat([g * s, g * a * s * (1 - s)], -1)


class Where(Function):
    @staticmethod
    def forward(ctx, cond, a, b):
        ctx.save_for_backward(cond)
        return torch.where(cond, a, b)

    @staticmethod
    def backward(ctx, g):
        (cond,) = ctx.saved_tensors
        return None, g * cond, g * ~cond


class MaskedFill(Function):
    @staticmethod
    def forward(ctx, scores, mask, value):
        ctx.save_for_backward(mask)
        return scores.masked_fill(mask, value)

    @staticmethod
    def backward(ctx, g):
        (mask,) = ctx.saved_tensors
        return g.masked_fill(mask, 0.0), None, None


class Softplus(Function):
    @staticmethod
    def forward(ctx, x, beta=1.0, threshold=20.0):
        ctx.save_for_backward(x)
        ctx.beta = beta
        return F.softplus(x, beta, threshold)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * torch.sigmoid(ctx.beta * x)


class Magnitude(Function):
    """The absolute value of complex numbers."""

    @staticmethod
    def forward(ctx, z):
        r = torch.sqrt(z.real**2 + z.imag**2)
        ctx.save_for_backward(z)
        return r

    @staticmethod
    def backward(ctx, g):
        (z,) = ctx.saved_tensors
        return g * torch.sgn(z)
