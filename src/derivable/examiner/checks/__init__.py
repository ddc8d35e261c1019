"""The checks: each compares one property of backward with what forward requires."""
