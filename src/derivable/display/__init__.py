"""What a result looks like: the house style, numbers as one reads them, curves, tables, progress.

It knows numbers and names and nothing of what they mean, so that every package above can show
itself.
"""
