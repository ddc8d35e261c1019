"""The library of Functions: one file per function, its derivation on the page."""

from derivable.functions.algebra import *  # noqa: F403 - each group lists its names in __all__
from derivable.functions.algebra import __all__ as _algebra
from derivable.functions.elementwise import *  # noqa: F403
from derivable.functions.elementwise import __all__ as _elementwise
from derivable.functions.layers import *  # noqa: F403
from derivable.functions.layers import __all__ as _layers
from derivable.functions.linalg import *  # noqa: F403
from derivable.functions.linalg import __all__ as _linalg
from derivable.functions.losses import *  # noqa: F403
from derivable.functions.losses import __all__ as _losses

__all__ = [*_algebra, *_elementwise, *_layers, *_linalg, *_losses]
