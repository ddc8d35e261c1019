"""`derivable doctor`: what this installation has and lacks."""

from __future__ import annotations

import json

import click

from derivable.cli.language import lang_option
from derivable.cli.messages import say
from derivable.doctor_messages import say as doctor


@click.command("doctor", short_help="What this installation has and lacks, and what to do.")
@lang_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor_command(as_json: bool) -> int:
    """Look at versions, extras, threads, the compiler, its cache, data and folders.

    The exit code is 1 if something is broken.
    """
    from derivable.doctor import BROKEN, FINE, examine

    found = examine()
    code = int(any(finding.state == BROKEN for finding in found))
    if as_json:
        findings = [finding.to_dict() for finding in found]
        print(json.dumps({"findings": findings, "exit_code": code}, ensure_ascii=False))
        return code
    width = max(len(finding.what) for finding in found)
    for finding in found:
        text = finding.text
        if finding.state != FINE:
            text = say("state", state=doctor(finding.state), text=text)
        if finding.to_do:
            text = say("to_do", text=text, what=finding.to_do)
        click.echo(f"{finding.what.ljust(width)}  {text}")
    return code
