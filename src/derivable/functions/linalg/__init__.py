"""Linear algebra on square matrices, in batches."""

__all__: list[str] = []
