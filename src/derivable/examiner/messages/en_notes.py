"""What is worth knowing and no mistake, in English."""

from __future__ import annotations

NOTES: dict[str, str] = {
    "note.kinks": "{count} entries are at kinks, where anything between the one-sided derivatives "
    "is right",
    "note.kinks_one": "1 entry is at a kink, where anything between the one-sided derivatives "
    "is right",
    "note.nowhere": "{count} entries have no derivative that could be measured: forward jumps "
    "there, or its slope is infinite; they are not compared",
    "note.nowhere_one": "1 entry has no derivative that could be measured: forward jumps there, "
    "or its slope is infinite; it is not compared",
    "note.unmeasured": "{count} of {all} entries could not be measured well enough, and were not "
    "compared",
    "note.edge": "{point}, backward returns {returned}; forward is finite there and its slope "
    "infinite: infinity of its sign, or a number of your choice, does less harm",
    "note.no_second_order": "no second derivative: {text}",
    "note.once": "backward is marked @once_differentiable",
    "note.forward_none": "forward returns None: it is to be written, or its return is missing",
    "note.forward_not_implemented": "forward raises NotImplementedError: it is to be written",
    "note.backward_none": "backward returns nothing: it is to be written, or its return is missing",
    "note.backward_not_implemented": "backward raises NotImplementedError: it is to be written",
    "note.saved_variables": "ctx.saved_variables is the old name of ctx.saved_tensors",
    "note.nothing_measured": "no output could be measured at these inputs",
    "note.overflow": "{point}, forward itself overflows or underflows on the way: that backward "
    "returns {returned} there is not counted",
    "note.overflow_of_autograd": "{point}, autograd through the operations of forward returns no "
    "finite gradient either: that backward returns {returned} there is not counted",
    "note.moderate_inputs": "at your inputs forward overflows or underflows on the way, where a "
    "right gradient is easily nan, infinite or 0: it was examined at {names} of moderate size, too",
    "note.not_counted": "not counted at your inputs, because nothing is wrong at the moderate "
    "ones: {seen}",
    "note.seen": "{names}: {cause}",
    "note.own_dtype": "forward does not run in float64, so the measurement is that of its own "
    "dtype",
    "note.check_stopped": "the check '{check}' could not be finished: {text}",
    "note.budget": "stopped after their share of {calls} calls of forward and backward: {checks}; "
    "budget= allows more",
    "note.timeout": "stopped after {seconds} s: {checks}; timeout= allows more",
    "note.raises": "{point} backward raises: {text}",
    "note.sparse": "PyTorch makes a sparse tensor of its values, which is differentiable once",
    "note.summed": "{name}: a gradient of shape {returned} is returned for {expected}; autograd "
    "sums it, and a call by hand does not",
    "note.surrogate": "not the derivative on purpose ({why}): values are not compared",
    "note.unfinished": "at values beyond yours the returned derivative deviates gradually from "
    "the measured one, as where an iteration in forward has not converged: that is not counted",
    "note.unsettled": "{name}: {share} of the entries could not be measured well enough",
}
