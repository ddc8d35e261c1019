"""Functions as formulas: what an author's rules compute, as expressions and as code for loops."""

from derivable.formula.kernels import kernel_of
from derivable.formula.pairs import PairKernel, Scale, pair_kernel_of
from derivable.formula.refusal import Refusal

__all__ = ["PairKernel", "Refusal", "Scale", "kernel_of", "pair_kernel_of"]
