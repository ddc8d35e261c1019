"""Sums, products and their relatives, with broadcasting."""

from derivable.functions.algebra.linear import Linear

__all__ = ["Linear"]
