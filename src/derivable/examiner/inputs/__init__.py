"""The inputs of an examination: as text, and others like the given ones."""
