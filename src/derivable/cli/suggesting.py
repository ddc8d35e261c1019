"""A group of commands that answers a mistyped one with the nearest."""

from __future__ import annotations

import difflib
from typing import Any

import click

from derivable.cli.messages import say


class SuggestingGroup(click.Group):
    """A group that answers a mistyped command with the nearest one."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command that `args` name."""
        if args and args[0] not in self.commands:
            near = difflib.get_close_matches(args[0], self.commands)
            other = say("try_help", command=ctx.command_path)
            hint = say("did_you_mean", name=near[0]) if near else other
            ctx.fail(say("no_command", name=args[0], hint=hint))
        return super().resolve_command(ctx, args)
