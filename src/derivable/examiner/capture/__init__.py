"""Discovery of the Functions of files, modules and packages, and recording of their calls."""
