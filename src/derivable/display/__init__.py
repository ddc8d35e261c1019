"""The display of results: the style of charts, numbers as text, curves, tables, progress.

It depends on no other package that computes results, so that all of these can use it.
"""
