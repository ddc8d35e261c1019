"""The messages of the command, of `examine` and of the pytest plugin, in English."""

from __future__ import annotations

COMMAND: dict[str, str] = {
    # What did not run of a program.
    "run.failed": "{location}: {error}; what ran before this line is examined",
    "run.failed_cell": "{location}: {error}; the other cells were run",
    "run.exit": "{location}: the program ended itself with {code}; what ran before is examined",
    "run.timeout": "{name} was stopped after {seconds} s, at {location} (--run-timeout); what it "
    "called until then is examined",
    "run.long_loop": "{name} was stopped in its first long loop, at {location} (--setup-only)",
    "run.gradcheck": "{location}: gradcheck fails; the rest was run",
    "run.missing": "{location}: the module {module} is missing; the rest was run",
    "run.missing_of": "{module} is missing: {count} submodules not examined ({names})",
    "run.missing_of_one": "{module} is missing: 1 submodule not examined ({names})",
    "run.not_imported": "{count} submodules not examined ({names}): {module}",
    "run.not_imported_one": "1 submodule not examined ({names}): {module}",
    "run.encoding": "{name} declares no encoding and is no UTF-8: read as {encoding}",
    # What the command prints.
    "cli.right": "right",
    "cli.wrong": "wrong",
    "cli.inconclusive": "inconclusive",
    "cli.not_examined": "not examined",
    "cli.count_right": "{count} right",
    "cli.count_wrong": "{count} wrong",
    "cli.count_inconclusive": "{count} inconclusive",
    "cli.count_not_examined": "{count} not examined",
    "cli.needs_inputs": "it was not called, and no inputs were found at which it runs{refusal}; "
    'give its inputs: --input "{inputs}"',
    "cli.called": "inputs: the call in {location}",
    "cli.called_kinds": "inputs: {count} kinds of calls, the first in {location}",
    "cli.called_by": "called by {test}",
    "cli.called_by_more": "called by {test} and {count} more",
    "cli.running": "running {name}, for at most {seconds} s",
    "cli.no_functions": "no Function is defined there",
    "cli.nothing_called": "nothing was called that can be examined",
    "cli.more": "there is more: --details",
    "cli.more_findings": "{count} more findings: --details",
}
