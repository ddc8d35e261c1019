"""`Request`: how each model of a comparison is trained."""

from __future__ import annotations

from dataclasses import dataclass, fields

from derivable.comparison.messages import say
from derivable.data import SPLITS
from derivable.descent.checks import check_count
from derivable.descent.method import Method
from derivable.descent.methods import method_of
from derivable.device import device_of
from derivable.errors import SettingError


@dataclass(frozen=True)
class Request:
    """How each model is trained: the options of a comparison that are no options of a table."""

    protocol: str | None = None
    lr: float | str | None = None
    steps: int | None = None
    seed: int = 0
    seeds: int = 1
    method: str | Method = "auto"
    shard: bool = False
    device: str | None = None

    def __post_init__(self) -> None:
        if self.protocol is not None and self.protocol not in SPLITS:
            raise SettingError(say("protocol", names=list(SPLITS), got=self.protocol))
        for name, least in (("seed", 0), ("seeds", 1)):
            object.__setattr__(self, name, check_count(name, getattr(self, name), least))
        if self.steps is not None:
            check_count("steps", self.steps)
        method_of(self.method)
        if self.device is not None:
            device_of(self.device)

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """Those from which each model is trained."""
        return tuple(range(self.seed, self.seed + self.seeds))


PLANNED = tuple(field.name for field in fields(Request))
