"""`Settings` of an examination; `Level`: which findings make it fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any

from derivable.errors import SettingError
from derivable.examiner.finding import Finding, Section, Severity
from derivable.examiner.messages import error_of


class Level(Enum):
    """Which findings make a target wrong; the others are reported all the same.

    LAB       first order at inputs like the given ones; what autograd repairs silently,
              such as a gradient that is not summed, fails too: by hand nothing repairs it
    STANDARD  errors in every section but second order
    STRICT    errors and warnings in every section
    """

    LAB = "lab"
    STANDARD = "standard"
    STRICT = "strict"

    def fails(self, finding: Finding) -> bool:
        """Whether this finding makes the target wrong."""
        if finding.severity is Severity.NOTE:
            return False
        if self is Level.LAB:
            return finding.section is Section.FIRST_ORDER
        if self is Level.STANDARD:
            error = finding.severity is Severity.ERROR
            return error and finding.section is not Section.SECOND_ORDER
        return True


@dataclass(frozen=True)
class Settings:
    """The settings of one examination.

    reference  the same function in plain PyTorch, whose autograd makes comparisons more accurate
    surrogate  why backward is not the derivative on purpose: values are then not compared
    surrogate_of  the differentiable function, of the same inputs, whose derivative backward is
               instead: values are compared with it
    contracts  argument -> its contract, such as {"A": "symmetric", "p": "0..1"}: generated inputs
               fulfil it, and gradients are compared only along directions within it
    compile    whether to run it under torch.compile too, which takes seconds
    seed       of everything that is random in the examination
    level      what makes it fail: a Level or its name
    budget     calls of forward and backward, at most; None for a number that depends on how many
               operations forward has, so that the verdict is the same on any machine
    timeout    seconds of computing after which the checks end, each with what it has found
    """

    reference: Callable[..., Any] | None = None
    surrogate: str | None = None
    surrogate_of: Callable[..., Any] | None = None
    contracts: Mapping[str, Any] = field(default_factory=dict)
    compile: bool = False
    seed: int = 0
    level: Level = Level.STANDARD
    budget: int | None = None
    timeout: float = 15.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "level", level_of(self.level))
        if self.budget is not None and self.budget < 1:
            raise error_of(SettingError, "error.budget", got=self.budget)
        if not self.timeout > 0:
            raise error_of(SettingError, "error.timeout", got=self.timeout)

    def changed(self, options: Mapping[str, Any]) -> Settings:
        """These settings with those in `options`; raises TypeError for what is no setting."""
        changed, others = self.taken_from(options)
        if others:
            raise error_of(
                TypeError, "error.no_setting", name=next(iter(others)), names=list(NAMES)
            )
        return changed

    def taken_from(self, options: Mapping[str, Any]) -> tuple[Settings, dict[str, Any]]:
        """These settings with those in `options`, and the other options: inputs of forward."""
        mine = {name: value for name, value in options.items() if name in NAMES}
        rest = {name: value for name, value in options.items() if name not in NAMES}
        return replace(self, **mine), rest


NAMES = tuple(one.name for one in fields(Settings))


def level_of(name: Level | str) -> Level:
    """The level of this name; raises SettingError for an unknown one."""
    if isinstance(name, Level):
        return name
    try:
        return Level(name)
    except ValueError:
        known = [level.value for level in Level]
        raise error_of(SettingError, "error.level", names=known, got=name) from None


USUAL = Settings()
