"""The command `derivable`: parse, call, print. No mathematics."""
