"""`CheckRequest`: the options of a call of `derivable check`."""

from __future__ import annotations

import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from derivable.cli.check_output import Output
    from derivable.examiner.settings import Settings


@dataclass(frozen=True)
class CheckRequest:
    """The options of the command, by their names there."""

    words: tuple[str, ...]
    run_timeout: float
    setup_only: bool
    seed: int
    level: str
    budget: int | None
    timeout: float
    surrogates: tuple[str, ...]
    contracts: tuple[str, ...]
    reference: str | None
    declarations: str | None
    compiled: bool
    strict: bool
    details: bool
    as_json: bool
    form: str
    lang: str | None

    def output(self) -> Output:
        """What prints the results."""
        from derivable.cli import check_output

        return check_output.choose(self.as_json, self.form, self.details, self.lang)

    def settings(self) -> Settings:
        """The settings of each examination; raises SettingError for what has no meaning."""
        from derivable.examiner.inputs.contract_text import parse_contract
        from derivable.examiner.settings import Level, Settings

        return Settings(
            seed=self.seed, compile=self.compiled, level=Level(self.level), budget=self.budget,
            timeout=self.timeout, contracts=dict(parse_contract(text) for text in self.contracts),
        )  # fmt: skip

    def declare(self) -> None:
        """Apply the declarations of --examples and --surrogate. Runs the file of --examples."""
        from derivable.examiner.inputs.declared import declare, load_declarations, parse_surrogate

        if self.declarations is not None:
            load_declarations(self.declarations)
        for text in self.surrogates:
            pattern, why = parse_surrogate(text)
            declare(pattern, surrogate=why)

    def references(self) -> dict[str, Any]:
        """The functions that the file of --reference defines, by name. Runs that file.

        Raises SettingError if there is no such file, and TargetError if its code fails.
        """
        from derivable.errors import SettingError, TargetError
        from derivable.examiner.capture.locations import error_line
        from derivable.examiner.messages import error_of

        if self.reference is None:
            return {}
        if not Path(self.reference).is_file():
            raise error_of(SettingError, "error.no_reference", path=self.reference)
        try:
            names = runpy.run_path(self.reference)
        except Exception as error:  # the user's code
            raise TargetError(error_line(error)) from None
        found = {name: _callable(value) for name, value in names.items() if name[:1] != "_"}
        return {name: value for name, value in found.items() if value is not None}


def _callable(value: Any) -> Any:
    """A reference as a callable: a Function's apply, a plain class by hand, a function."""
    import torch

    from derivable.examiner.targets.plain import by_hand, is_plain_function_class

    if isinstance(value, type) and issubclass(value, torch.autograd.Function):
        return value.apply
    if is_plain_function_class(value):
        return by_hand(value).apply
    return value if callable(value) and not isinstance(value, type) else None
