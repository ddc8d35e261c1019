"""Numerical differentiation: derivatives from values of a function alone, each with its error."""
