"""One table in many processes: who has which rows, and how their sums come together."""

from __future__ import annotations

from derivable.distributed.deal import deal
from derivable.distributed.group import Group, agreed
from derivable.distributed.shard import Shard

__all__ = ["Group", "Shard", "agreed", "deal"]
