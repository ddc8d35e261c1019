"""`python -m derivable` is the command `derivable`."""

from derivable.cli.main import main

if __name__ == "__main__":
    main()
