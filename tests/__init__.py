"""The tests."""

import os

# SciPy reads it where it is first imported; without it scikit-learn skips one of its checks.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
