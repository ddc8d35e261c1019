"""One definition, every way to run it: `Function`, `Elementwise` and `Context`."""

from derivable.function.context import Context
from derivable.function.elementwise import Elementwise
from derivable.function.function import Function
from derivable.function.kink import Kink

__all__ = ["Context", "Elementwise", "Function", "Kink"]
