"""The front door: commands, exit codes, and one clear sentence for every mistake.

Importing this module does not import PyTorch, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

import derivable
from derivable.cli.check import check_command
from derivable.cli.compare import compare_command
from derivable.cli.data import data_group
from derivable.cli.doctor import doctor_command
from derivable.cli.suggesting import SuggestingGroup
from derivable.errors import DataError, DerivableError, DivergedError

USAGE, BAD_DATA, DIVERGED, INTERRUPTED = 2, 3, 5, 130


@click.group(
    cls=SuggestingGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(derivable.__version__, prog_name="derivable")
def cli() -> None:
    """Differentiable functions written by hand: write them, prove them right, descend with them.

    Start with: derivable compare, or derivable check FILE.py
    """


cli.add_command(check_command)
cli.add_command(compare_command)
cli.add_command(data_group)
cli.add_command(doctor_command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code.

    0 fine, 1 a gradient is wrong or the installation is broken, 2 wrong usage, 3 bad data or a
    target that cannot be loaded, 5 diverged, 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    try:
        code = cli.main(args=words, prog_name="derivable", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(USAGE)
    except click.ClickException as error:
        _fail(error.format_message(), USAGE, as_json, _usage(error))
    except DataError as error:
        _fail(str(error), BAD_DATA, as_json)
    except DivergedError as error:
        _fail(str(error), DIVERGED, as_json)
    except DerivableError as error:
        _fail(str(error), USAGE, as_json)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted; nothing was written", INTERRUPTED, as_json)
    sys.exit(code or 0)


def _usage(error: click.ClickException) -> str:
    """How the command is called, for a mistake in the call."""
    context = getattr(error, "ctx", None)
    return context.get_usage() + "\n" if context else ""


def _fail(message: str, code: int, as_json: bool, usage: str = "") -> NoReturn:
    if as_json:
        print(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
    click.echo(f"{usage}derivable: {message}", err=True)
    sys.exit(code)
