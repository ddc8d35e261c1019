"""The entry point: commands, exit codes, and one error message for every mistake.

Importing this module does not import PyTorch, so that `--help` answers at once.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

import click

import derivable
from derivable.cli.check import check_command
from derivable.cli.codes import BAD_DATA, DIVERGED, INTERRUPTED, MISSING_EXTRA, USAGE
from derivable.cli.compare import compare_command
from derivable.cli.data import data_group
from derivable.cli.doctor import doctor_command
from derivable.cli.fit import fit_command
from derivable.cli.lab import lab_group
from derivable.cli.language import lang_option, spoken
from derivable.cli.messages import say
from derivable.cli.predict import predict_command
from derivable.cli.processes import SECONDS, silence_others
from derivable.cli.report import report_command
from derivable.cli.suggesting import SuggestingGroup
from derivable.core_messages import reason_of
from derivable.errors import DataError, DerivableError, DivergedError, MissingExtraError
from derivable.extras import needed


@click.group(
    cls=SuggestingGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(derivable.__version__, prog_name="derivable")
@lang_option
def cli() -> None:
    """Differentiable functions written by hand: write them, prove them right, descend with them.

    Start with: derivable compare, or derivable check FILE.py
    """


for command in (
    check_command,
    compare_command,
    data_group,
    doctor_command,
    fit_command,
    lab_group,
    predict_command,
    report_command,
):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code.

    0 fine, 1 a gradient is wrong or the installation is broken, 2 wrong usage or a place that
    cannot be written, 3 bad data or a target that cannot be loaded, 4 a missing extra, 5 diverged,
    130 interrupted.
    """
    # PyTorch and the rest make a million objects that stay. With Python's own thresholds, searching
    # them for garbage takes half a second of each command.
    gc.set_threshold(100_000, 50, 50)
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    other = silence_others()
    with spoken(cli, words):
        if any("\0" in word for word in words):
            _fail(say("nul"), USAGE, as_json)
        try:
            _run(words, as_json)
        except SystemExit as end:
            if other:
                _end_other(end.code)
            raise


def _end_other(code: object) -> NoReturn:
    """End a process of torchrun other than the first, which has nothing left to do.

    Python is not taken down: threads of PyTorch that it ends inside of C++ code abort the process.
    """
    if code:  # as soon as one process fails, torchrun ends all others, also the one that reports
        time.sleep(SECONDS)
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)


def _run(words: list[str], as_json: bool) -> NoReturn:
    """Run the command; every error becomes one message on stderr and an exit code."""
    try:
        with needed("this_command"):
            code = cli.main(args=words, prog_name="derivable", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(USAGE)
    except click.ClickException as error:
        _fail(error.format_message(), USAGE, as_json, _usage(error))
    except DataError as error:
        _fail(str(error), BAD_DATA, as_json)
    except MissingExtraError as error:
        _fail(str(error), MISSING_EXTRA, as_json)
    except DivergedError as error:
        _fail(str(error), DIVERGED, as_json)
    except DerivableError as error:
        _fail(str(error), USAGE, as_json)
    except (KeyboardInterrupt, click.Abort) as error:
        cause = error.__cause__ or error  # click makes an Abort of an interruption
        _fail(str(cause) or say("interrupted"), INTERRUPTED, as_json)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{reason_of(error)}", USAGE, as_json)
    sys.exit(code or 0)


def _usage(error: click.ClickException) -> str:
    """How the command is called, for a mistake in the call."""
    context = getattr(error, "ctx", None)
    return context.get_usage() + "\n" if context else ""


def _fail(message: str, code: int, as_json: bool, usage: str = "") -> NoReturn:
    if as_json:
        print(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
    click.echo(f"{usage}derivable: {message}", err=True)
    if code == INTERRUPTED:  # one more Ctrl-C has nothing left to stop, and would print a traceback
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)
