"""Ways to run what is examined: a Function, a callable, a value with its gradient."""
