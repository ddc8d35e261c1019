"""`run.toml`: the settings of a run, which can be run again, and what it ran with."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from derivable.core_messages import reason_of
from derivable.errors import DataError, FileError, SettingError
from derivable.extras import needed
from derivable.messages import SEMICOLON, joined
from derivable.run.messages import say

FILE = "run.toml"
PACKAGES = ("derivable", "torch", "numpy", "scipy", "numba", "polars")

Options = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """A command and its options, as they were given or stand by default."""

    command: str
    options: Options
    table: dict[str, Any] = field(default_factory=dict)  # name, digest, rows
    versions: dict[str, str] = field(default_factory=dict)  # of what it ran with
    loss: dict[str, str] = field(default_factory=dict)  # digest of the file of a loss of one's own

    def again(self, folder: Path) -> str:
        """The command that computes the run in `folder` once more, in a new folder."""
        return f"derivable {self.command} --config {shlex.quote(str(folder / FILE))}"

    def to_toml(self) -> str:
        """The file, for people and for `load`."""
        with needed("run_folder"):
            import tomli_w

        sections = {"settings": self.options, "table": self.table, "versions": self.versions}
        sections |= {"loss": self.loss} if self.loss else {}
        document = {"command": self.command} | {
            name: {key: value for key, value in content.items() if value is not None}
            for name, content in sections.items()
        }
        head = f"# A run of derivable. To run it again: derivable {self.command} --config {FILE}\n"
        text: str = head + tomli_w.dumps(document)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            line = text[: error.end].rpartition("\n")[2]
            raise FileError(say("no_utf8", value=line, file=FILE)) from None
        return text

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read `run.toml`, or options that somebody wrote by hand, with or without [settings].

        Raises SettingError where there is no such file or it is no TOML.
        """
        try:
            document = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingError(say("unreadable", file=file, reason=reason_of(error))) from None
        except ValueError as error:  # no UTF-8, or no TOML
            raise SettingError(say("no_toml", file=file, error=error)) from None
        if "\\u0000" in json.dumps(document, default=str):
            raise SettingError(say("nul", file=file))
        command, options = document.get("command", ""), document.get("settings")
        if options is None:
            options = {key: value for key, value in document.items() if key != "command"}
        if not (isinstance(command, str) and isinstance(options, dict)):
            raise SettingError(say("command_settings", file=file))
        kept = (document.get(name, {}) for name in ("table", "versions", "loss"))
        return cls(command, options, *kept)


def loss_here(options: Mapping[str, Any]) -> dict[str, str]:
    """The digest of the file that the loss of these options is out of; empty where it has none.

    Raises SettingError where the file cannot be read.
    """
    from derivable.named import split_file

    loss = options.get("loss")
    file, _ = split_file(loss) if isinstance(loss, str) else ("", "")
    if not file:
        return {}
    try:
        return {"sha256": hashlib.sha256(Path(file).read_bytes()).hexdigest()}
    except OSError as error:
        raise SettingError(say("unreadable", file=file, reason=reason_of(error))) from None


def versions_here() -> dict[str, str]:
    """Of Python and of the packages whose arithmetic a run is made of."""
    import derivable

    versions = {"python": platform.python_version(), "derivable": derivable.__version__}
    for name in PACKAGES[1:]:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs, in words, of the entries that both have."""
    return [
        say("difference", key=key, then=_plain(then[key]), now=_plain(now[key]))
        for key in then
        if key in now and then[key] != now[key]
    ]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def refuse_other(then: Settings, now: Settings) -> None:
    """Refuse to go on with other data, or another version of ours; SettingError or DataError."""
    changed = differences({"sha256": then.table.get("sha256", "")}, now.table)
    if changed:
        raise DataError(say("other_table", changed=joined(changed, SEMICOLON)))
    ours = differences(*({"derivable": one.versions.get("derivable", "")} for one in (then, now)))
    if ours:
        raise SettingError(say("other_version", changed=ours[0], file=FILE))


def refuse_other_loss(then: Settings, now: Mapping[str, str], options: Mapping[str, Any]) -> None:
    """Refuse to go on with another content of the file that the loss is out of; SettingError."""
    changed = differences(then.loss, now)
    if changed:
        from derivable.named import split_file

        file, _ = split_file(str(options["loss"]))
        raise SettingError(say("other_loss", file=file, changed=changed[0]))
