"""What the names of arguments mean by convention: roles, values of options, shapes together."""

from __future__ import annotations

import re
from typing import Any

import torch

from derivable.examiner.inputs.found_specs import Spec, shapes_of

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
DIVIDING = frozenset("n_heads num_heads heads nheads nhead n_head groups num_groups n_groups "
                     "ngroups scale_factor upscale_factor upscale chunks".split())  # fmt: skip
POOLING = frozenset("kernel_size window_size pool pool_size ksize".split())
INTEGERS = {
    "label": "labels label target targets y classes cls class_idx gold truth t",
    "index": "idx index indices ids tokens token_ids input_ids positions pos "
    "rows cols edge_index perm permutation neighbors i j",
    "segment": "segment segments segment_ids segment_id batch batch_index group_ids assignment "
    "cluster cluster_ids",
    "length": "lengths length lens len seq_lens seq_lengths",
}
INTEGER_OF = {name: role for role, names in reversed(INTEGERS.items()) for name in names.split()}
MASKS = frozenset("mask masks attn_mask attention_mask keep valid m drop_mask dropmask cond "
                  "condition padding_mask key_padding_mask".split())  # fmt: skip

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

# Shapes that go together, by the roles in their order; `;` separates alternatives.
_TOGETHER = {
    "x": "R C; R C+; R C%; R H; C; B R C; B C H W; S S; S S#; ; R D; B T D; B D H W; B S C; "
    "B Z H W; H; B S S; B S S#; 1; R 2; R 3",
    "divided": "B T D; B D H W; R D; B Z H W; B D T; B R C; B C H W; D; R C",
    "pooled": "B C H W; B C H; R H; H; B D H W; R C",
    "yhat": "M P; M; ",
    "p": "M P%; M%; R C=; M P; ",
    "matrix": "S S; S S#; R C; B S S; B S S#; S S<",
    "x w": "N I,I O; N I,O I; R C,C; R C,R C; R C,; B C H W,F C K L; B C H W,F C K K; "
    "B C T,F C K; N I,I; C,C; B C H W,C F K K; B C T,C F K; H W,K L; V O,O; H,K; "
    "B C H W,C 1 K K; B R I,I O",
    "x w b": "N I,I O,O; N I,O I,O; B C H W,F C K L,F; B C H W,F C K K,F; B C T,F C K,F; "
    "R C,C,C; R C,,; N I,I,; N I,I,1; N I,I 1,1; I,O I,O; I,I O,O; B R I,I O,O; B R I,O I,O; "
    "B C H W,C F K K,F; B C H W,C 1 K K,C; R C,R C,R C; H W,K L,; B C H W,C,C; ,,; B R I,O R I,O; "
    "N I,I O,1 O",
    "x b": "R C,C; R C,; R C,1; R C,R C; R C,R 1; B C H W,C; R C,R; N I,1 I",
    "x y": "R C,R C; R C+,R C+; R C%,R C%; R C,S C; C,C; R,C; M P,M P; N I,I O; ,",
    "yhat y": "M P,M P; M,M; M P%,M P?; M%,M?; M P,M P=; ,; R C,S C",
    "x yhat": "M P,M P; M,M",
    "x x": "R C,R C; R C+,R C+; R,C; C,C; R C,S C; R C,; B R C,B R C; R 2,; R 3,R 3; S S,S S; "
    "R C%,R C%; R C=,R C=; C,R C; ,",
    "x x w": "N I,N V,O I V; N I,N V,I V; R C,R C,R C; R C,R C,C; N I,N I,I O; R C,R C,",
    "x x w b": "N I,N V,O I V,O; N I,N V,I V,",
    "x w v w": "N I,I O,I O,O 3",
    "p y": "M P%,M P?; M%,M?; M P%,M P; ,",
    "p x": "M P%,M P; R C=,R C; R C=,R C=",
    "p p": "M P=,M P=; M P%,M P%; M%,M%",
    "x scale": "R C,; R C,C; R C,1; R C,R C; R C,R 1; ,",
    "x gain": "R C,C; R C,; R C,1; B C H W,C; R C,R C; B R C,C",
    "x shift": "R C,C; R C,; R C,1; R C,R C",
    "x gain shift": "R C,C,C; B C H W,C,C; B C T,C,C; R C,,; R C,R C,R C; B H T,H,H; B R C,C,C; "
    "B Z T,Z,Z; R C,1,1",
    "x w shift": "R C,C,C; B C H W,C,C; N I,I O,O; N I,O I,O",
    "x gain b": "R C,C,C; B C H W,C,C; R C,,",
    "x scale shift": "R C,,; R C,C,C; B C H W,C,C; R C,R C,R C",
    "x scale b": "R C,,; R C,C,C; B C H W,C,C; R C,R C,R C",
    "x gain shift mean var": "R C,C,C,C,C+; B C H W,C,C,C,C+",
    "x mean var gain shift": "R C,C,C+,C,C; B C H W,C,C+,C,C",
    "x mean var w b": "R C,C,C+,C,C; B C H W,C,C+,C,C",
    "x mean var": "R C,R C,R C+; R C,C,C+; R C,,+; ,,+",
    "x mean scale": "R C,R C,R C+; R C,C,C+; R C,,+; ,,+",
    "x mean": "R C,R C; R C,C; R C,",
    "mean var": "R C,R C+; C,C+; ,+",
    "mean logvar": "R C,R C; C,C",
    "mean scale": "R C,R C+; C,C+; ,+",
    "q key": "T E,V E; B T E,B V E; T E,T E; B 2 T E,B 2 V E; E,V E",
    "q key v": "T E,V E,V O; B T E,B V E,B V O; T E,T E,T E; B 2 T E,B 2 V E,B 2 V O; "
    "B T D,B V D,B V D; B T D,B T D,B T D; E,V E,V O; B 2 T E,B 2 T E,B 2 T E; T D,T D,T D",
    "x w y": "N I,I O,N O; N I,I,N; N I,O I,N O; R C,R C,R C",
    "x y w": "R C,R C,R C; R C,R C,C; M P,M P,M P+; N I,N O,I O; N I,N,I; N I,N 1,I 1; M P,M P,P+",
    "x w b y": "N I,I O,O,N O; N I,O I,O,N O; N I,I,,N; N I,I 1,1,N 1",
    "x y w b": "N I,N O,I O,O; N I,N,I,; N I,N 1,I 1,1; N I,N O,O I,O",
    "x w b w b": "N I,I H,H,H O,O; N I,H I,H,O H,O",
    "x w w": "N I,I H,H O; N I,H I,O H; N I,I O,I O; N I,O I,O I",
    "x w v": "N I,I O,I O; N I,O I,O I; N I,I O,O; N I,I,N",
    "x h w w b": "B I,B H,I H,H H,H; B I,B H,H I,H H,H",
    "x h w w": "B I,B H,I H,H H; B I,B H,H I,H H",
    "x h w b": "B I,B H,8 H,H",
    "x h w w b b": "B I,B H,18 I,18 H,18,18; B I,B H,6 I,6 H,6,6; B I,B H,I H,H H,H,H; "
    "B I,B H,I 18,H 18,18,18",
    "x h c w w b b": "B I,B H,B H,24 I,24 H,24,24; B I,B H,B H,I 24,H 24,24,24",
    "x h c w w b": "B I,B H,B H,24 I,24 H,24; B I,B H,B H,I 24,H 24,24",
    "x h c w b": "B I,B H,B H,11 24,24; B I,B H,B H,24 11,24",
    "x h": "B I,B H; R C,R C",
    "matrix b": "R C,C O; R C,C; S S,S; S S,S C; S S#,S; S S#,S C; B S S,B S C; S S<,S C; S S<,S; "
    "R C,R C; C,C; R,C; ,",
    "matrix x": "R C,C; S S,S; S S,S C; R C,C O; S S#,S; S S#,S C; B S S,B S C; S S<,S C",
    "x matrix": "C,C C; R C,C C; R C,C O; S,S S#; R C,C C#; C,O C; R C,O C; S C,S S; B R C,C C",
    "x matrix y": "R C,C I,R I; C,C I,I; R C,C C,R C",
    "matrix matrix": "R C,C O; R C,R C; S S,S S; S S#,S S#; B R C,B C O; S S#,S C",
    "matrix x b": "R C,C,R; R C,C O,R O; S S,S,S",
    "matrix x y": "R C,C,R; ,,",
    "matrix w x": "R C,C O,O",
}  # fmt: skip
TOGETHER = {tuple(roles.split()): shapes_of(text) for roles, text in _TOGETHER.items()}

# Shapes that go together, whatever the names are, by the number of tensors.
ALL_ALIKE = ("R C", "R C+", "M P%", "C", "B R C", "B C H W", "R C=", "S S", "S S#", "")
SINGLE = ("R C", "C", "", "R", "R C+", "C C", "B R C", "R 1", "1 C", "C O", "C+", "+", "S S#",
          "B C H W", "R 2", "R 3")  # fmt: skip
ANY = {
    1: _TOGETHER["x"] + "; R C%; R C+; R C=; R C~; S S~; R 4; R 8; B 4 H W; 9; Z; R Z; C C C; M 6",
    2: "N I,I O; N I,O I; R C,C; R C,; C,R C; ,R C; S S,S; S S,S C; S S#,S; S S#,S C; C,S S; "
    "R C,R; R C,S C; R,C; B R C,B C O; B C H W,F C K L; B C H W,F C K K; B C T,F C K; R C,R C+; "
    "R C+,R C; R C%,R C?; R C%,R C; R C=,R C=; B R C,C; B R C,R C; R C,1; R C,R 1; B C H W,C; "
    "R C,R C=; R C#; C C,R C; C C#,R C; S S#,S S#; H,K; H W,K L; B R C,S C; N I,V O; R C~,R C~; "
    "R,R C; 3,3; R 3,R 3; C 2,S 2; V,V O",
    3: "N I,I O,O; N I,O I,O; R C,C,C; R C,,; ,,; C,C,C; B C H W,F C K L,F; B C H W,F C K K,F; "
    "B C T,F C K,F; T E,V E,V O; B T E,B V E,B V O; N I,O I V,N V; I,O I V,V; N I,I O,N O; "
    "R C,R C,R C+; R C,R C,; R C,R,R C; C,C I,I; S S,S,S; R C,C I,I O; N I,I H,H O; R C,R C,C; "
    "N I,I,N; M P,M P,M P%; N I,I,; R C,R C,R; S S,S C,C; S S#,S S#,S S#; R C,R,C",
    4: "N I,I O,O,N O; R C,C,C+,C; N I,I H,H,H O; R C,C,C,C; ,,,; R C,C,,; R C,R C,C,C; "
    "S S,S C,O S,O C; B I,B H,I H,H H; B C H W,C,C,C+; T E,E O,E O,E V; T D,D D,D D,D D",
    5: "N I,I H,H,H O,O; N I,H I,H,O H,O; R C,C,C,C,C+; R C,C,C+,C,C; B I,B H,I H,H H,H; "
    "B I,B H,H I,H H,H; T D,D D,D D,D D,D D; B C H W,C,C+,C,C",
    6: "B I,B H,I H,H H,H,H; B I,B H,H I,H H,H,H; N I,I H,H,H O,O,N O",
}  # fmt: skip


def simple(name: str) -> str:
    """A name in lower case, without digits, signs and marks around it: `W_1` is `w`."""
    return re.sub(r"^_+|[\d_']+$", "", name.lower()) or name.lower()


def role_of(name: str) -> str:
    """The role of a tensor by its name; "" for a name that says nothing."""
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


def roles_together(names: list[str], roles: list[str], multiplied: list[bool]) -> list[str]:
    """The roles of tensors that stand beside each other, where one name has several meanings.

    `multiplied`: whether each is a factor of a matrix product, as far as the source tells.
    """
    low = [name.lower().strip("_") for name in names]
    found = list(roles)
    for i, name in enumerate(low):
        small = names[i] == name
        if name in ("k", "key", "keys") and {"q", "query", "queries"} & {*low}:
            found[i] = "key"
        elif name in ("p", "q") and {"p", "q"} <= {*low} and "k" not in low:
            found[i] = "p"
        elif name in ("a", "m") and small and not multiplied[i]:
            found[i] = "x"
        elif name == "b" and i and low[i - 1] == "a" and not multiplied[i]:
            found[i] = "x"
        elif name == "t":
            found[i] = "y" if i else "x"
        elif name in ("c", "k", "s") and multiplied[i]:
            found[i] = "matrix"
    if len(found) == 2 and all(multiplied) and found[0] in ("", "x") and found[1] in ("", "x", "y"):
        return ["matrix", "b"]
    return found


def joint_shapes(roles: tuple[str, ...]) -> list[tuple[float, list[Spec]]]:
    """Shapes for tensors of these roles, by their cost: those by convention cost less than 3."""
    count = len(roles)
    named = TOGETHER.get(roles) or TOGETHER.get(tuple(_plain(r) for r in roles), [])
    if not named and count > 1 and len({_plain(r) for r in roles}) == 1:
        named = shapes_of("; ".join(",".join([shape] * count) for shape in ALL_ALIKE))
    found = [(min(0.3 * i, 1.5 + 0.05 * i), joint) for i, joint in enumerate(named)]
    alike = ["; ".join(",".join([shape] * count) for shape in ALL_ALIKE)] if count > 1 else []
    anyhow = shapes_of("; ".join([*alike, *([ANY[count]] if count in ANY else [])]))
    joints = [joint for joint in anyhow if len(joint) == count]
    return found + [(3 + 0.1 * i, joint) for i, joint in enumerate(joints)]


def _plain(role: str) -> str:
    """The role whose shapes a role has, where nothing is known of it beside others."""
    return role if role in ("w", "b", "y", "gain", "shift", "scale", "var") else "x"
