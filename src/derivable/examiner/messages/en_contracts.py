"""What arguments are by contract, and what surrogates are meant to be, in English."""

from __future__ import annotations

CONTRACTS: dict[str, str] = {
    "note.contract": "{name} is examined only where it is {contract} ({why})",
    "contract.why_declared": "as declared",
    "contract.why_docstring": "as its docstring states",
    "contract.why_refuses": "forward refuses anything else",
    "contract.why_comment": "as a comment in its code states",
    "contract.why_triangle": "forward reads one triangle only",
    "contract.why_pairs": "forward reads only one of two entries that are equal by symmetry",
    "contract.why_part": "backward returns the symmetric part of the derivative",
    "contract.symmetric": "symmetric",
    "contract.definite": "symmetric and positive definite",
    "contract.lower": "lower triangular",
    "contract.upper": "upper triangular",
    "contract.orthogonal": "orthogonal",
    "contract.unit": "of length 1 along the last axis",
    "contract.simplex": "a distribution along the last axis",
    "contract.log simplex": "the logarithm of a distribution",
    "contract.one hot": "one-hot",
    "contract.sorted": "increasing along the last axis",
    "contract.distinct": "without equal entries along the last axis",
    "contract.between": "between {low} and {high}",
    "contract.index": "an index below {below}",
    "contract.integer": "of whole numbers",
    "contract.nonzero": "without a zero",
    "contract.fixed": "of the given size",
    "contract.several": "{first}, {second}",
    "evidence.declare": "if {name} always fulfils this, declare it: "
    'contracts={{"{name}": "{contract}"}}; it is then examined only there',
    "note.surrogate_of": "backward is compared with the derivative of {name}, which is meant",
    "evidence.straight_through": "backward passes grad_output on unchanged, as a straight-through "
    "estimator does: surrogate_of=lambda x: x compares it with that",
    "evidence.straight_through_clipped": "backward passes grad_output on where {low} <= {name} <= "
    "{high}, as a clipped straight-through estimator does",
    "evidence.spiking": "what is returned is a smooth function of {name}, largest at {at}: as with "
    "a spiking neuron whose derivative is a surrogate; surrogate_of= compares it with one",
}
