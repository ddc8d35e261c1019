"""What the names of arguments mean by convention: roles of tensors, and values of options."""

from __future__ import annotations

import re
from typing import Any

import torch

# Names, in lower case without digits and underscores at the end, of each role of a tensor.
ROLES = {
    "x": "x input inputs inp z u data features feat feats tensor logits scores score act xs "
    "img image images signal inputtensor values source src arr array vec vector theta angle r "
    "embeddings emb activations hiddenstates seq sequence points",
    "yhat": "yhat y_hat ypred y_pred pred preds prediction predictions outputs output out estimate "
    "estimates recon probs approx",
    "y": "y target targets truth gt ref ytrue y_true true expected observed observations "
    "groundtruth ground_truth labels label",
    "w": "w weight weights kernel filter filters weightmatrix coef coefs wt",
    "b": "b bias biases offset intercept",
    "gain": "gamma gain",
    "shift": "beta shift",
    "scale": "scale s alpha temperature temp tau sigma slope lam lambda lambd factor c k",
    "q": "q query queries",
    "key": "k key keys",
    "v": "v value",
    "mean": "mean mu running_mean runningmean",
    "var": "var variance running_var runningvar std",
    "logvar": "logvar log_var logsigma log_sigma logstd log_std",
    "h": "h hx h0 hidden state hprev h_prev",
    "c": "c cx c0 cell cprev c_prev",
    "matrix": "a mat matrix m sigma cov adj",
    "p": "p prob probability probabilities q",
}
ROLE_OF = {name: role for role, names in reversed(ROLES.items()) for name in names.split()}

# Data that a loss compares with: no gradient is expected of a backward that returns None for it.
DATA = frozenset({"y", "mean", "var"}) | {"mask", "index"}
# Options that have to divide a size, and those of a window that moves over an image.
DIVIDING = {"n_heads", "num_heads", "heads", "nheads", "nhead", "n_head", "groups", "num_groups",
            "n_groups", "scale_factor", "upscale_factor", "upscale", "chunks"}  # fmt: skip
POOLING = {"kernel_size", "window_size", "pool", "pool_size", "ksize"}

INTEGERS = {
    "label": "labels label target targets y classes cls class_idx gold truth t",
    "index": "idx index indices ids tokens token_ids input_ids positions pos "
    "rows cols edge_index perm permutation neighbors i j",
    "segment": "segment segments segment_ids segment_id batch batch_index group_ids assignment "
    "cluster cluster_ids",
    "length": "lengths length lens len seq_lens seq_lengths",
}
INTEGER_OF = {name: role for role, names in reversed(INTEGERS.items()) for name in names.split()}
MASKS = {"mask", "masks", "attn_mask", "attention_mask", "keep", "valid", "m", "drop_mask",
         "dropmask", "cond", "condition", "padding_mask", "key_padding_mask"}  # fmt: skip

# Values of options by name, the most telling first.
OPTIONS: dict[str, list[Any]] = {
    "dims axes": [(1, 0), (0, 2, 1), (2, 0, 1)],
    "dim axis dims axes": [-1, 1, 0, (0, 1), (-1,), None],
    "dim0 dim1 axis0 axis1 source destination": [0, 1, -1],
    "keepdim keep_dim keepdims": [False, True],
    "eps": [1e-5, 1e-3],
    "epsilon": [0.1, 1e-5],
    "p prob drop dropout p_drop drop_prob rate": [0.5, 0.25, 2.0, 3, 1],
    "ord order power exponent n": [2, 3, 2.0, 3.0, 1],
    "alpha beta gamma lam lambda lambda_ lambd lmbda lmbd slope negative_slope c a b scale s "
    "factor delta margin tau temperature temp sigma threshold thresh theta weight_decay "
    "smoothing label_smoothing coef t strength coeff sharpness width": [0.5, 2.0, 0.1, 3, 2, 1],
    "low lo min min_val minimum lower a_min qmin": [-0.5, -1.0, 0.0, 0],
    "high hi max max_val maximum upper a_max qmax": [0.5, 1.0, 2.0, 6, 15],
    "stride strides": [2, 1, (2, 1), (1, 1)],
    "padding pad": [1, 0, (1, 0), (1, 1)],
    "dilation": [1, 2, (1, 1)],
    "groups num_groups n_groups ngroups": [2, 1, 3],
    "output_padding": [0, 1],
    "kernel_size kernel window window_size pool pool_size size ksize": [2, 3, (2, 2), (3, 3)],
    "n_heads num_heads heads nheads nhead n_head": [2, 4, 1],
    "n_steps steps num_steps n_iter num_iters iters iterations max_iter niter": [3, 5, 20],
    "k topk top_k": [2, 1, 3, 0.5],
    "n num_classes n_classes classes num_embeddings vocab_size num_segments n_bins num_bins bins "
    "levels n_levels dim_size": [5, 7, 3, 4, 13],
    "bits n_bits num_bits nbits bitwidth": [4, 8, 2],
    "zero_point zp": [0, 3],
    "normalized_shape": [(3,), [3], 3, (4, 3)],
    "generator gen rng": [torch.Generator().manual_seed(0)],
    "shape output_size size sizes out_shape newshape new_shape": [
        (3, 4), (12,), (3,), (4, 3), (-1,), (2, 6), [3], 12],
    "perm permutation order": [(1, 0), (0, 2, 1), (2, 0, 1)],
    "split_sizes sections split_size chunks": [2, [1, 2], [1, 3], (1, 2), [2, 2], 3],
    "shifts shift roll": [1, 2, (1, 1)],
    "scale_factor upscale_factor r upscale": [2, 3],
    "training train is_training inplace bias causal is_causal normalize normalized log log_input "
    "full affine flag unbiased reverse descending transpose symmetric": [True, False],
    "reduction reduce": ["mean", "sum", "none"],
    "mode": ["mean", "sum", "max", "nearest", "constant"],
    "approximate": ["none", "tanh"],
    "fn func f function activation act g op phi": [torch.tanh, torch.sin],
    "value fill fill_value": [-1e9, 0.0, 1.0],
    "momentum": [0.1, 0.9],
    "dt h step lr": [0.1, 0.5],
    "equation eq": ["ij,jk->ik", "ij->ji", "ij->i"],
    "ignore_index": [-100],
    "blank": [0],
    "seed": [0],
    "index i idx": [0, 1],
    "start offset": [0, 1],
    "end stop length": [2, 3],
    "dtype": [torch.float64, torch.float32],
}  # fmt: skip
OPTION_OF: dict[str, list[Any]] = {}
for _names, _values in OPTIONS.items():
    for _name in _names.split():
        OPTION_OF[_name] = [*OPTION_OF.get(_name, []), *_values]


def simple(name: str) -> str:
    """A name in lower case, without digits, signs and marks around it: `W_1` is `w`."""
    return re.sub(r"^_+|[\d_']+$", "", name.lower()) or name.lower()


def role_of(name: str) -> str:
    """The role of a tensor by its name; "" for a name without a usual meaning."""
    low = name.lower().strip("_")
    known = ROLE_OF.get(low) or ROLE_OF.get(simple(name))
    if known is None and "_" in low:
        ends = [part for part in low.split("_") if part in ROLE_OF]
        known = ROLE_OF[ends[-1]] if ends else None
    if known is None and len(low) > 1 and low[0] in "wb" and len(low) <= 3:
        known = low[0]  # wx, wh, bq
    return known or ""


def integer_role(name: str) -> str:
    """label, index or length; "" for other names."""
    low = name.lower().strip("_")
    return INTEGER_OF.get(low) or INTEGER_OF.get(simple(name), "")


def option_values(name: str) -> list[Any]:
    """The values that an option of this name usually has."""
    low = name.lower().strip("_")
    return OPTION_OF.get(low) or OPTION_OF.get(simple(name), [])
