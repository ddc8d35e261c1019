"""Matrix functions, indexing, sorting, several outputs, lists. All are right."""
# mypy: ignore-errors

import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class MatMul(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return torch.mm(a, b)

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved_tensors
        return g.mm(b.t()), a.t().mm(g)


class BatchMatMul(Function):
    @staticmethod
    def forward(ctx, A, B):
        ctx.save_for_backward(A, B)
        return torch.bmm(A, B)

    @staticmethod
    def backward(ctx, G):
        A, B = ctx.saved_tensors
        return G.bmm(B.mT), A.mT.bmm(G)


class Inverse(Function):
    @staticmethod
    def forward(ctx, A):
        inv = torch.linalg.inv(A)
        ctx.save_for_backward(inv)
        return inv

    @staticmethod
    def backward(ctx, g):
        (inv,) = ctx.saved_tensors
        return -inv.mT @ g @ inv.mT


class LogDet(Function):
    @staticmethod
    def forward(ctx, M):
        ctx.save_for_backward(M)
        return torch.logdet(M)

    @staticmethod
    def backward(ctx, g):
        (M,) = ctx.saved_tensors
        return g[..., None, None] * torch.linalg.inv(M).mT


class Solve(Function):
    @staticmethod
    def forward(ctx, A, b):
        x = torch.linalg.solve(A, b)
        ctx.save_for_backward(A, x)
        return x

    @staticmethod
    def backward(ctx, g):
        A, x = ctx.saved_tensors
        gb = torch.linalg.solve(A.mT, g)
        gA = -torch.outer(gb, x) if x.ndim == 1 else -gb @ x.mT
        return gA, gb


class QuadraticForm(Function):
    @staticmethod
    def forward(ctx, x, A):
        ctx.save_for_backward(x, A)
        return x @ A @ x

    @staticmethod
    def backward(ctx, g):
        x, A = ctx.saved_tensors
        return g * (A @ x + A.T @ x), g * torch.outer(x, x)


class MatVec(Function):
    @staticmethod
    def forward(ctx, matrix, vector):
        ctx.save_for_backward(matrix, vector)
        return torch.mv(matrix, vector)

    @staticmethod
    def backward(ctx, g):
        matrix, vector = ctx.saved_tensors
        return torch.outer(g, vector), matrix.t().mv(g)


class Outer(Function):
    @staticmethod
    def forward(ctx, u, v):
        ctx.save_for_backward(u, v)
        return torch.outer(u, v)

    @staticmethod
    def backward(ctx, g):
        u, v = ctx.saved_tensors
        return g @ v, g.t() @ u


class Trace(Function):
    @staticmethod
    def forward(ctx, mat):
        ctx.shape = mat.shape
        return torch.trace(mat)

    @staticmethod
    def backward(ctx, g):
        return g * torch.eye(*ctx.shape, dtype=g.dtype)


class PairwiseDistance(Function):
    """Squared distances of the rows of two matrices with as many columns."""

    @staticmethod
    def forward(ctx, X, Y):
        ctx.save_for_backward(X, Y)
        return ((X[:, None] - Y[None]) ** 2).sum(-1)

    @staticmethod
    def backward(ctx, g):
        X, Y = ctx.saved_tensors
        d = 2 * g[..., None] * (X[:, None] - Y[None])
        return d.sum(1), -d.sum(0)


class Gather(Function):
    @staticmethod
    def forward(ctx, x, index):
        ctx.save_for_backward(index)
        ctx.columns = x.shape[1]
        return x.gather(1, index)

    @staticmethod
    def backward(ctx, g):
        (index,) = ctx.saved_tensors
        return g.new_zeros(len(g), ctx.columns).scatter_add(1, index, g), None


class IndexSelect(Function):
    @staticmethod
    def forward(ctx, x, dim, idx):
        ctx.save_for_backward(idx)
        ctx.dim, ctx.shape = dim, x.shape
        return x.index_select(dim, idx)

    @staticmethod
    def backward(ctx, g):
        (idx,) = ctx.saved_tensors
        return g.new_zeros(ctx.shape).index_add_(ctx.dim, idx, g), None, None


class SegmentSum(Function):
    @staticmethod
    def forward(ctx, values, segment_ids, num_segments):
        ctx.save_for_backward(segment_ids)
        out = values.new_zeros(num_segments, *values.shape[1:])
        return out.index_add(0, segment_ids, values)

    @staticmethod
    def backward(ctx, g):
        (segment_ids,) = ctx.saved_tensors
        return g[segment_ids], None, None


class Sort(Function):
    @staticmethod
    def forward(ctx, x):
        values, order = x.sort(dim=-1)
        ctx.save_for_backward(order)
        ctx.mark_non_differentiable(order)
        return values, order

    @staticmethod
    def backward(ctx, g, _):
        (order,) = ctx.saved_tensors
        return torch.zeros_like(g).scatter(-1, order, g)


class TopK(Function):
    @staticmethod
    def forward(ctx, x, k):
        values, idx = torch.topk(x, k)
        ctx.save_for_backward(idx)
        ctx.shape = x.shape
        return values

    @staticmethod
    def backward(ctx, g):
        (idx,) = ctx.saved_tensors
        return g.new_zeros(ctx.shape).scatter(-1, idx, g), None


class CumSum(Function):
    @staticmethod
    def forward(ctx, x, dim):
        ctx.dim = dim
        return x.cumsum(dim)

    @staticmethod
    def backward(ctx, g):
        return g.flip(ctx.dim).cumsum(ctx.dim).flip(ctx.dim), None


class MeanVar(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.mean(0), x.var(0, unbiased=False)

    @staticmethod
    def backward(ctx, gm, gv):
        (x,) = ctx.saved_tensors
        n = x.shape[0]
        return gm.expand_as(x) / n + gv * 2 * (x - x.mean(0)) / n


class Concat(Function):
    @staticmethod
    def forward(ctx, dim, *tensors):
        ctx.dim = dim
        ctx.sizes = [t.shape[dim] for t in tensors]
        return torch.cat(tensors, dim)

    @staticmethod
    def backward(ctx, g):
        return (None, *g.split(ctx.sizes, ctx.dim))


class Stack(Function):
    @staticmethod
    def forward(ctx, *xs):
        return torch.stack(xs)

    @staticmethod
    def backward(ctx, g):
        return g.unbind(0)


class Split(Function):
    @staticmethod
    def forward(ctx, x, split_sizes):
        ctx.save_for_backward(x)
        return tuple(p.clone() for p in x.split(split_sizes, dim=-1))

    @staticmethod
    def backward(ctx, *grads):
        return torch.cat(grads, -1), None


class Permute(Function):
    @staticmethod
    def forward(ctx, x, dims):
        ctx.dims = dims
        return x.permute(dims)

    @staticmethod
    def backward(ctx, g):
        inverse = [ctx.dims.index(i) for i in range(len(ctx.dims))]
        return g.permute(inverse), None


class Reshape(Function):
    @staticmethod
    def forward(ctx, x, shape):
        ctx.old = x.shape
        return x.reshape(shape)

    @staticmethod
    def backward(ctx, g):
        return g.reshape(ctx.old), None


class Sum(Function):
    @staticmethod
    def forward(ctx, x, dim, keepdim):
        ctx.shape, ctx.dim, ctx.keepdim = x.shape, dim, keepdim
        return x.sum(dim, keepdim=keepdim)

    @staticmethod
    def backward(ctx, g):
        if not ctx.keepdim:
            g = g.unsqueeze(ctx.dim)
        return g.expand(ctx.shape), None, None


class Normalize(Function):
    """Rows of length one."""

    @staticmethod
    def forward(ctx, v):
        n = v.norm(dim=-1, keepdim=True)
        ctx.save_for_backward(v)
        return v / n

    @staticmethod
    def backward(ctx, g):
        (v,) = ctx.saved_tensors
        n = v.norm(dim=-1, keepdim=True)
        u = v / n
        return (g - u * (g * u).sum(-1, keepdim=True)) / n


class CrossProduct(Function):
    @staticmethod
    def forward(ctx, a, b):
        assert a.shape[-1] == 3 and b.shape[-1] == 3
        ctx.save_for_backward(a, b)
        return torch.linalg.cross(a, b)

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved_tensors
        return torch.linalg.cross(b, g), torch.linalg.cross(g, a)


class RotatePoints(Function):
    """Points (n, 2) turned by an angle, a tensor without dimensions."""

    @staticmethod
    def forward(ctx, points, angle):
        c, s = torch.cos(angle), torch.sin(angle)
        R = torch.stack([torch.stack([c, -s]), torch.stack([s, c])])
        ctx.save_for_backward(points, angle)
        return points @ R.T

    @staticmethod
    def backward(ctx, g):
        points, angle = ctx.saved_tensors
        c, s = torch.cos(angle), torch.sin(angle)
        R = torch.stack([torch.stack([c, -s]), torch.stack([s, c])])
        D = torch.stack([torch.stack([-s, -c]), torch.stack([c, -s])])
        return g @ R, (g * (points @ D.T)).sum()


class Pad(Function):
    @staticmethod
    def forward(ctx, x, pad):
        ctx.pad, ctx.n = pad, x.shape[-1]
        left = x.new_zeros(*x.shape[:-1], pad)
        return torch.cat([left, x, left], -1)

    @staticmethod
    def backward(ctx, g):
        return g[..., ctx.pad : ctx.pad + ctx.n], None


class Cholesky(Function):
    @staticmethod
    def forward(ctx, S):
        L = torch.linalg.cholesky(S)
        ctx.save_for_backward(L)
        return L

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        (L,) = ctx.saved_tensors
        P = (L.mT @ g).tril()
        P.diagonal(dim1=-2, dim2=-1).mul_(0.5)
        inv = torch.linalg.inv(L)
        S = inv.mT @ P @ inv
        return (S + S.mT) / 2
