"""A group of commands that answers a mistyped one with the nearest."""

from __future__ import annotations

import difflib
from typing import Any

import click


class SuggestingGroup(click.Group):
    """A group that answers a mistyped command with the nearest one."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command that `args` name."""
        if args and args[0] not in self.commands:
            near = difflib.get_close_matches(args[0], self.commands)
            hint = f" Did you mean {near[0]}?" if near else f" Try {ctx.command_path} --help."
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)
