"""Every error of `derivable`: who, which argument by name, expected and got, what to do.

Each class also inherits from the builtin that callers already catch.
"""

from __future__ import annotations


class DerivableError(Exception):
    """The base of every error raised on purpose by `derivable`."""


class ContextError(DerivableError, RuntimeError):
    """A Context was used out of order: one Context serves one forward and its backward."""


class NotATensorError(DerivableError, TypeError):
    """A tensor was expected and something else was given."""


class ShapeError(DerivableError, ValueError):
    """A tensor has a shape that the Function cannot take; names the argument and both shapes."""


class GradientError(DerivableError, RuntimeError):
    """`backward` returned gradients that do not belong to the inputs of `forward`."""


class DefinitionError(DerivableError, TypeError):
    """A Function is defined in a way that cannot run; raised where the class is defined."""


class InputError(DerivableError, TypeError):
    """A Function was called with an input missing, unknown or given twice."""


class TransformError(DerivableError, RuntimeError):
    """A Function cannot run under a transform of `torch.func`; says why and the way out."""


class SettingError(DerivableError, ValueError):
    """A setting (size, learning rate, model name, ...) has no meaning as given."""


class DataError(DerivableError, ValueError):
    """A table cannot be used as it is."""


class FileError(DerivableError, OSError):
    """A file or folder cannot be written: a full disk, no permission, somebody else's lock."""


class MissingExtraError(DerivableError, ImportError):
    """A package is needed that is not installed; names the command that installs it."""


class WholeFileError(DataError):
    """A file can only be read as a whole, and not by several processes in parts."""


class LostProcessError(DerivableError, RuntimeError):
    """Another process of the group has ended; `rank` names it where it is on the same machine."""

    def __init__(self, message: object = "", rank: int | None = None) -> None:
        super().__init__(message)
        self.rank = rank


class DivergedError(DerivableError, ArithmeticError):
    """The loss stopped being finite during a descent; names the step and what to try."""


class WrongGradientError(DerivableError, AssertionError):
    """A backward is not the derivative of its forward; the message is the examiner's report."""


class TargetError(DerivableError, ImportError):
    """What is to be examined cannot be loaded: names the user's file and the line."""
