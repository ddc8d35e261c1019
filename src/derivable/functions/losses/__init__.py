"""Losses: how far a prediction is from what was wanted."""

from derivable.functions.losses.mse import MSE

__all__ = ["MSE"]
