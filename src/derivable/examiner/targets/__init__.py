"""Adapters that run any target: a Function, a callable, a value with its gradient."""
