"""Operations on shapes and positions, linear algebra, and torch.nn.functional."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from tests.corpus.drawing import Draw, numbers
from tests.corpus.entry import Right
from tests.corpus.wrapped import operation

f32 = torch.float32


def _matrix(d: Draw) -> list[Any]:
    return [d.normal(3, 4)]


def _two(d: Draw) -> list[Any]:
    return [d.normal(3, 4), d.normal(3, 4)]


def _image(d: Draw) -> list[Any]:
    return [d.normal(2, 3, 4, 5)]


def _signal(d: Draw) -> list[Any]:
    return [d.normal(2, 3, 6)]


def _scores(d: Draw) -> list[Any]:
    return [d.normal(5, 3), d.integers(0, 3, 5)]


SHAPES = [
    operation("transpose", torch.transpose, lambda d: [d.normal(3, 4, 2), 0, 1]),
    operation("permute", torch.permute, lambda d: [d.normal(3, 4, 2), (2, 0, 1)]),
    operation("reshape", torch.reshape, lambda d: [d.normal(3, 4), (2, 6)]),
    operation("reshape_of_transposed", lambda x: x.mT.reshape(2, 6), _matrix),
    operation("flatten", torch.flatten, lambda d: [d.normal(2, 3, 4), 1]),
    operation("squeeze", torch.squeeze, lambda d: [d.normal(3, 1, 4), 1]),
    operation("unsqueeze", torch.unsqueeze, lambda d: [d.normal(3, 4), 1]),
    operation("movedim", torch.movedim, lambda d: [d.normal(3, 4, 2), 0, 2]),
    operation("flip", torch.flip, lambda d: [d.normal(3, 4), (0, 1)]),
    operation("roll", torch.roll, lambda d: [d.normal(3, 4), 2, 1]),
    operation("rot90", torch.rot90, _matrix),
    operation("cat", lambda x, y: torch.cat([x, y], 1), lambda d: [d.normal(3, 4), d.normal(3, 2)]),
    operation("stack", lambda x, y: torch.stack([x, y], 1), _two),
    operation("expand", lambda x: x.expand(3, 4), lambda d: [d.normal(3, 1)]),
    operation("expand_in_front", lambda x: x.expand(2, *x.shape), _matrix),
    operation("repeat", lambda x: x.repeat(2, 3), _matrix),
    operation("repeat_interleave", lambda x: x.repeat_interleave(2, 1), _matrix),
    operation("tile", lambda x: x.tile(2), _matrix),
    operation("clone", torch.clone, _matrix),
    operation("narrow", torch.narrow, lambda d: [d.normal(3, 5), 1, 1, 3]),
    operation("every_second", lambda x: x[:, ::2], lambda d: [d.normal(3, 5)]),
    operation("select", torch.select, lambda d: [d.normal(3, 4), 1, 2]),
    operation("gather", torch.gather, lambda d: [d.normal(3, 4), 1, d.integers(0, 4, 3, 5)]),
    operation(
        "scatter_add",
        lambda x, dim, at, y: x.scatter_add(dim, at, y.expand_as(at)),
        lambda d: [d.normal(3, 4), 1, d.integers(0, 4, 3, 5), d.normal(3, 5)],
    ),
    operation(
        "index_select", torch.index_select, lambda d: [d.normal(3, 4), 0, d.integers(0, 3, 6)]
    ),
    operation("indexed", lambda x, at: x[at], lambda d: [d.normal(3, 4), d.integers(0, 3, 2, 2)]),
    operation("take", torch.take, lambda d: [d.normal(3, 4), d.integers(0, 12, 5)]),
    operation(
        "take_along_dim", torch.take_along_dim, lambda d: [*_matrix(d), d.integers(0, 3, 2, 4), 0]
    ),
    operation("masked_fill", torch.masked_fill, lambda d: [*_matrix(d), d.normal(3, 4) > 0, 0.5]),
    operation(
        "masked_fill_inf",
        torch.masked_fill,
        lambda d: [*_matrix(d), d.normal(3, 4) > 0, -torch.inf],
    ),
    operation("masked_select", torch.masked_select, lambda d: [*_matrix(d), d.normal(3, 4) > 0]),
    operation("tril", torch.tril, _matrix),
    operation("triu", torch.triu, lambda d: [d.normal(3, 4), 1]),
    operation("diagonal", torch.diagonal, _matrix),
    operation("diag_embed", torch.diag_embed, _matrix),
    operation("pad_constant", lambda x: F.pad(x, (1, 2), value=0.5), _matrix),
    operation("pad_negative", lambda x: F.pad(x, (1, -1)), _matrix),
    operation("pad_reflect", lambda x: F.pad(x, (2, 1), mode="reflect"), _signal),
    operation("pad_replicate", lambda x: F.pad(x, (1, 2), mode="replicate"), _signal),
    operation("pad_circular", lambda x: F.pad(x, (1, 2), mode="circular"), _signal),
    operation("windows", lambda x: x.unfold(1, 3, 1), lambda d: [d.normal(3, 6)]),
    operation("unfold", lambda x: F.unfold(x, 2), _image),
    operation("fold", lambda x: F.fold(x, (3, 4), 2), lambda d: [d.normal(2, 8, 6)]),
    operation("pixel_shuffle", F.pixel_shuffle, lambda d: [d.normal(1, 8, 2, 3), 2]),
    operation("pixel_unshuffle", F.pixel_unshuffle, lambda d: [d.normal(1, 2, 4, 6), 2]),
    operation("sort", torch.sort, lambda d: [d.distinct(3, 4)]),
    operation("sort_tied", torch.sort, lambda d: [numbers([[1, 2, 1], [3, 3, 3]])]),
    operation("msort", torch.msort, lambda d: [d.distinct(4, 3)]),
    operation("topk", torch.topk, lambda d: [d.distinct(3, 5), 2]),
    operation("split", torch.split, lambda d: [d.normal(3, 5), 2, 1]),
    operation("chunk", lambda x: x.chunk(2, 1), _matrix),
    operation("unbind", torch.unbind, _matrix),
    operation(
        "meshgrid",
        lambda x, y: torch.meshgrid(x, y, indexing="ij"),
        lambda d: [d.normal(3), d.normal(4)],
    ),
    operation("combinations", torch.combinations, lambda d: [d.normal(4)]),
    operation("sum_to_size", lambda x: x.sum_to_size(3, 1), _matrix),
]

LINEAR_ALGEBRA = [
    operation("matmul", torch.matmul, lambda d: [d.normal(3, 4), d.normal(4, 2)]),
    operation("matmul_square", torch.matmul, lambda d: [d.normal(3, 3), d.normal(3, 3)]),
    operation("matmul_batch", torch.matmul, lambda d: [d.normal(2, 3, 4), d.normal(4, 5)]),
    operation(
        "matmul_broadcast", torch.matmul, lambda d: [d.normal(2, 1, 3, 4), d.normal(5, 4, 2)]
    ),
    operation("matmul_vector", torch.matmul, lambda d: [d.normal(3, 4), d.normal(4)]),
    operation(
        "matmul_float32",
        torch.matmul,
        lambda d: [d.normal(3, 4, dtype=f32), d.normal(4, 2, dtype=f32)],
    ),
    operation("dot", torch.dot, lambda d: [d.normal(4), d.normal(4)]),
    operation("mv", torch.mv, lambda d: [d.normal(3, 4), d.normal(4)]),
    operation("bmm", torch.bmm, lambda d: [d.normal(2, 3, 4), d.normal(2, 4, 5)]),
    operation(
        "baddbmm",
        torch.baddbmm,
        lambda d: [d.normal(2, 3, 5), d.normal(2, 3, 4), d.normal(2, 4, 5)],
    ),
    operation("addmm", torch.addmm, lambda d: [d.normal(2), d.normal(3, 4), d.normal(4, 2)]),
    operation("outer", torch.outer, lambda d: [d.normal(3), d.normal(4)]),
    operation(
        "einsum",
        lambda x, y: torch.einsum("bij,bkj->bik", x, y),
        lambda d: [d.normal(2, 3, 4), d.normal(2, 5, 4)],
    ),
    operation(
        "einsum_trace",
        lambda x, y: torch.einsum("ii,jj->ij", x, y),
        lambda d: [d.normal(3, 3), d.normal(4, 4)],
    ),
    operation("tensordot", torch.tensordot, lambda d: [d.normal(2, 3, 4), d.normal(3, 4, 5), 2]),
    operation("kron", torch.kron, lambda d: [d.normal(2, 3), d.normal(3, 2)]),
    operation("cross", torch.linalg.cross, lambda d: [d.normal(4, 3), d.normal(4, 3)]),
    operation("trace", torch.trace, lambda d: [d.normal(4, 4)]),
    operation("inverse", torch.linalg.inv, lambda d: [d.regular(2, 3)]),
    operation("solve", torch.linalg.solve, lambda d: [d.regular(3), d.normal(3, 2)]),
    operation(
        "solve_triangular",
        lambda a, b: torch.linalg.solve_triangular(a, b, upper=False),
        lambda d: [d.regular(3), d.normal(3, 2)],
    ),
    operation("det", torch.linalg.det, lambda d: [d.regular(3)]),
    operation("slogdet", torch.linalg.slogdet, lambda d: [d.regular(3)]),
    operation("logdet", torch.logdet, lambda d: [d.definite(3)]),
    operation(
        "cholesky", lambda a: torch.linalg.cholesky((a + a.mT) / 2), lambda d: [d.definite(3)]
    ),
    operation(
        "cholesky_solve",
        lambda b, factor: torch.cholesky_solve(b, factor.tril()),
        lambda d: [d.normal(3, 2), torch.linalg.cholesky(d.definite(3))],
    ),
    operation("qr", torch.linalg.qr, lambda d: [d.normal(4, 3)]),
    operation(
        "eigvalsh", lambda a: torch.linalg.eigvalsh((a + a.mT) / 2), lambda d: [d.definite(3)]
    ),
    operation("svdvals", torch.linalg.svdvals, lambda d: [d.normal(3, 4)]),
    operation("nuclear_norm", lambda x: torch.linalg.matrix_norm(x, "nuc"), _matrix),
    operation("pinv", torch.linalg.pinv, lambda d: [d.normal(4, 3)]),
    operation(
        "lstsq",
        lambda a, b: torch.linalg.lstsq(a, b).solution,
        lambda d: [d.normal(5, 3), d.normal(5, 2)],
    ),
    operation("matrix_exp", torch.linalg.matrix_exp, lambda d: [d.normal(3, 3)]),
    operation("matrix_power", torch.linalg.matrix_power, lambda d: [d.normal(3, 3), 3]),
    operation(
        "multi_dot",
        lambda x, y, z: torch.linalg.multi_dot([x, y, z]),
        lambda d: [d.normal(3, 4), d.normal(4, 2), d.normal(2, 5)],
    ),
    operation("cdist", torch.cdist, lambda d: [d.normal(4, 3), d.normal(5, 3)]),
    operation("cdist_1", torch.cdist, lambda d: [d.normal(4, 3), d.normal(5, 3), 1.0]),
    operation("cov", torch.cov, _matrix),
    operation("vander", torch.linalg.vander, lambda d: [d.normal(4)]),
]


def _loss(name: str, reduction: str, inputs: Callable[[Draw], Sequence[Any]]) -> Right:
    function = partial(getattr(F, name), reduction=reduction)
    return operation(f"{name}_{reduction}", function, inputs)


LOSSES = [
    _loss(name, reduction, inputs)
    for reduction in ("mean", "sum", "none")
    for name, inputs in (
        ("mse_loss", _two),
        ("l1_loss", _two),
        ("smooth_l1_loss", _two),
        ("huber_loss", _two),
        ("cross_entropy", _scores),
        ("nll_loss", _scores),
        ("kl_div", lambda d: [d.normal(3, 4), d.probabilities(3, 4)]),
        ("soft_margin_loss", lambda d: [d.normal(3, 4).requires_grad_(), d.normal(3, 4).sign()]),
    )
]

LOSSES += [
    operation(
        "bce", F.binary_cross_entropy, lambda d: [d.between(0.1, 0.9, 3, 4), d.between(0, 1, 3, 4)]
    ),
    operation(
        "bce_with_logits",
        F.binary_cross_entropy_with_logits,
        lambda d: [d.normal(3, 4), d.between(0, 1, 3, 4)],
    ),
    operation(
        "cross_entropy_smoothed", lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1), _scores
    ),
    operation(
        "cross_entropy_ignored",
        F.cross_entropy,
        lambda d: [d.normal(4, 3), numbers([0, -100, 2, 1], torch.int64)],
    ),
    operation(
        "cross_entropy_weighted",
        F.cross_entropy,
        lambda d: [d.normal(5, 3).requires_grad_(), d.integers(0, 3, 5), numbers([1, 2, 3])],
    ),
    operation("poisson_nll", F.poisson_nll_loss, lambda d: [d.normal(3, 4), d.positive(3, 4)]),
    operation(
        "hinge_embedding",
        F.hinge_embedding_loss,
        lambda d: [d.normal(3, 4), d.integers(0, 2, 3, 4) * 2 - 1],
    ),
    operation(
        "margin_ranking",
        F.margin_ranking_loss,
        lambda d: [d.normal(5), d.normal(5), d.integers(0, 2, 5) * 2 - 1],
    ),
    operation(
        "triplet_margin",
        F.triplet_margin_loss,
        lambda d: [d.normal(3, 4), d.normal(3, 4), d.normal(3, 4)],
    ),
    operation(
        "cosine_embedding",
        F.cosine_embedding_loss,
        lambda d: [*_two(d), numbers([1, -1, 1], torch.int64)],
    ),
    operation("multi_margin", F.multi_margin_loss, _scores),
]

LAYERS = [
    operation("linear", F.linear, lambda d: [d.normal(5, 3), d.normal(4, 3), d.normal(4)]),
    operation(
        "bilinear", F.bilinear, lambda d: [d.normal(5, 3), d.normal(5, 4), d.normal(2, 3, 4)]
    ),
    operation("conv1d", F.conv1d, lambda d: [*_signal(d), d.normal(4, 3, 2), d.normal(4)]),
    operation("conv1d_strided", F.conv1d, lambda d: [*_signal(d), d.normal(4, 3, 2), None, 2, 1]),
    operation("conv2d", F.conv2d, lambda d: [*_image(d), d.normal(4, 3, 2, 2), d.normal(4), 1, 1]),
    operation(
        "conv2d_depthwise", F.conv2d, lambda d: [*_image(d), d.normal(3, 1, 2, 2), None, 1, 0, 1, 3]
    ),
    operation(
        "conv_transpose1d", F.conv_transpose1d, lambda d: [*_signal(d), d.normal(3, 2, 3), None, 2]
    ),
    operation("avg_pool1d", F.avg_pool1d, lambda d: [*_signal(d), 3, 1]),
    operation("avg_pool2d", F.avg_pool2d, lambda d: [*_image(d), 2, 1, 1]),
    operation("max_pool1d", F.max_pool1d, lambda d: [d.distinct(2, 3, 6), 2]),
    operation("max_pool2d_overlapping", F.max_pool2d, lambda d: [d.distinct(1, 2, 4, 5), 3, 1]),
    operation("lp_pool1d", F.lp_pool1d, lambda d: [d.positive(2, 3, 6), 2.0, 2]),
    operation("adaptive_avg_pool2d", F.adaptive_avg_pool2d, lambda d: [*_image(d), (3, 2)]),
    operation("adaptive_max_pool1d", F.adaptive_max_pool1d, lambda d: [d.distinct(2, 3, 7), 3]),
    operation("layer_norm", F.layer_norm, lambda d: [*_matrix(d), (4,), d.normal(4), d.normal(4)]),
    operation("layer_norm_far_out", F.layer_norm, lambda d: [d.normal(3, 4) + 1e4, (4,)]),
    operation(
        "batch_norm_train",
        lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
        lambda d: [d.normal(5, 3), d.normal(3), d.normal(3)],
    ),
    operation(
        "batch_norm_eval",
        lambda x, m, v: F.batch_norm(x, m, v),
        lambda d: [d.normal(5, 3).requires_grad_(), d.normal(3), d.positive(3)],
    ),
    operation(
        "group_norm", F.group_norm, lambda d: [d.normal(2, 4, 3), 2, d.normal(4), d.normal(4)]
    ),
    operation("instance_norm", F.instance_norm, _signal),
    operation("local_response_norm", F.local_response_norm, lambda d: [*_image(d), 2]),
    operation("rms_norm", F.rms_norm, lambda d: [*_matrix(d), (4,), d.normal(4)]),
    operation("softmax", F.softmax, lambda d: [*_matrix(d), 1]),
    operation("softmax_far_out", F.softmax, lambda d: [d.normal(3, 4) + 1e6, 1]),
    operation("softmax_float32", F.softmax, lambda d: [d.normal(3, 4, dtype=f32), 0]),
    operation("softmin", F.softmin, lambda d: [*_matrix(d), 1]),
    operation("log_softmax", F.log_softmax, lambda d: [*_matrix(d), 1]),
    operation("log_softmax_far_apart", F.log_softmax, lambda d: [numbers([[0, 1e3, -1e3]]), 1]),
    operation("glu", F.glu, _matrix),
    operation("prelu", F.prelu, lambda d: [d.normal(3, 4), d.positive(4)]),
    operation("normalize", F.normalize, _matrix),
    operation("pairwise_distance", F.pairwise_distance, _two),
    operation("interpolate_nearest", lambda x: F.interpolate(x, scale_factor=2), _signal),
    operation("interpolate_linear", lambda x: F.interpolate(x, size=9, mode="linear"), _signal),
    operation(
        "interpolate_bicubic", lambda x: F.interpolate(x, size=(6, 7), mode="bicubic"), _image
    ),
    operation(
        "grid_sample",
        lambda x, at: F.grid_sample(x, at, align_corners=False),
        lambda d: [*_image(d), d.between(-0.9, 0.9, 2, 3, 2, 2)],
    ),
    operation(
        "affine_grid",
        lambda theta: F.affine_grid(theta, [2, 3, 4, 5], align_corners=False),
        lambda d: [d.normal(2, 2, 3)],
    ),
    operation("embedding", F.embedding, lambda d: [d.integers(0, 5, 2, 4), d.normal(5, 3)]),
    operation("embedding_bag", F.embedding_bag, lambda d: [d.integers(0, 5, 2, 4), d.normal(5, 3)]),
    operation(
        "attention",
        F.scaled_dot_product_attention,
        lambda d: [d.normal(2, 3, 4), d.normal(2, 5, 4), d.normal(2, 5, 2)],
    ),
    operation(
        "attention_causal",
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        lambda d: [d.normal(2, 3, 4) for _ in range(3)],
    ),
    operation("channel_shuffle", F.channel_shuffle, lambda d: [d.normal(2, 4, 2, 2), 2]),
]

ARRAYS = [*SHAPES, *LINEAR_ALGEBRA, *LOSSES, *LAYERS]
