"""The exit codes of every command."""

CHECK_FAILED = 1
USAGE = 2  # wrong usage, also a folder or file that cannot be written
BAD_DATA = 3
MISSING_EXTRA = 4
DIVERGED = 5
INTERRUPTED = 130
