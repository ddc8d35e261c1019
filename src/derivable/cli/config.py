"""Options out of a file: `--config FILE`, and those of a run that goes on with `--resume RUN`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derivable.cli.messages import say
from derivable.errors import SettingError
from derivable.messages import SEMICOLON, joined

if TYPE_CHECKING:
    from derivable.run.settings import Settings

# Of how a command is run this time, and not of what it computes.
PASSING = ("out", "as_json", "quiet", "config", "resume", "export")


def _config(ctx: click.Context, param: click.Parameter, file: str | None) -> str | None:
    """Take what the command line leaves open from a file."""
    from derivable.run.settings import Settings

    if file is not None:
        _refuse_both(ctx)
        _fill(ctx, Settings.load(Path(file)), file)
    return file


def _resume(ctx: click.Context, param: click.Parameter, folder: str | None) -> str | None:
    """Take it from the folder of a run."""
    from derivable.run.settings import FILE, Settings

    if folder is not None:
        _refuse_both(ctx)
        file = Path(folder) / FILE
        if not file.is_file():
            raise SettingError(say("no_run", folder=folder, file=FILE))
        _fill(ctx, Settings.load(file), str(file))
    return folder


def _refuse_both(ctx: click.Context) -> None:
    """Each is called before the other is known, or after."""
    if ctx.params.get("config") is not None or ctx.params.get("resume") is not None:
        raise click.UsageError(say("resume_config"))


config_option = click.option(
    "--config",
    is_eager=True,
    callback=_config,
    metavar="FILE.toml",
    help="Take options from a file, such as run.toml of a run; those given here count more.",
)
resume_option = click.option(
    "--resume",
    is_eager=True,
    callback=_resume,
    metavar="RUN",
    help="Go on with the run in a folder; with exact steps, to the same bits.",
)


def settings_of(ctx: click.Context) -> dict[str, Any]:
    """The options of a command that say what it computes, as `--config` takes them."""
    options = {
        name.replace("_", "-"): list(value) if isinstance(value, tuple) else value
        for name, value in ctx.params.items()
        if name not in PASSING and value is not None and value != ()
    }
    if "file" in options:
        options["file"] = os.path.abspath(str(options["file"]))
    if "loss" in options:
        options["loss"] = _with_file(options["loss"], os.path.abspath)
    return options


def _with_file(loss: Any, change: Callable[[str], str]) -> Any:
    """A loss as text, with another path where it is out of a file."""
    from derivable.named import split_file

    path, rest = split_file(loss) if isinstance(loss, str) else ("", loss)
    return f"{change(path)}:{rest}" if path else loss


def refuse_changes(ctx: click.Context, settings: Settings) -> None:
    """Refuse options beside --resume that differ from the run's; its files may have moved.

    Whether they are the same files, their digests tell (`derivable.run`).
    """
    from derivable.run.settings import differences

    then, now = dict(settings.options), settings_of(ctx)
    for one in (then, now):
        one["loss"] = _with_file(one.get("loss"), os.path.basename)
    keys = [key for key in {**then, **now} if key != "file"]
    changed = differences(*({key: one.get(key) for key in keys} for one in (then, now)))
    if changed:
        raise SettingError(say("other_settings", changed=joined(changed, SEMICOLON)))


def _fill(ctx: click.Context, settings: Settings, file: str) -> None:
    """Take the settings for what the command line leaves open."""
    command = ctx.command.name or ""
    if settings.command not in ("", command):
        raise SettingError(say("other_command", file=file, one=settings.command, other=command))
    known = {
        word.lstrip("-").replace("-", "_"): param
        for param in ctx.command.params
        for word in (*param.opts, param.name or "")
        if param.name not in ("config", "resume")
    }
    defaults = {}
    for key, value in settings.options.items():
        name = key.replace("-", "_")
        if name not in known:
            near = difflib.get_close_matches(name, known)
            other = near[0].replace("_", "-") if near else ""
            hint = say("option_hint", name=other) if near else say("see_help")
            raise SettingError(say("no_option", file=file, key=key, command=command, hint=hint))
        defaults[str(known[name].name)] = _as_words(known[name], value)
    ctx.default_map = defaults


def _as_words(param: click.Parameter, value: Any) -> Any:
    """A value of the file as it would stand on the command line."""
    if isinstance(param, click.Option) and (param.is_flag or param.multiple):
        if param.multiple and not isinstance(value, list):
            value = [value]
        return [str(one) for one in value] if param.multiple else value
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
