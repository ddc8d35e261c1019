"""The messages in English. Gaps in braces are filled by name; a test compares the languages."""

from __future__ import annotations

from derivable.examiner.messages.en_causes import CAUSES
from derivable.examiner.messages.en_command import COMMAND
from derivable.examiner.messages.en_contracts import CONTRACTS
from derivable.examiner.messages.en_errors import ERRORS
from derivable.examiner.messages.en_notes import NOTES

SENTENCES: dict[str, str] = {
    **CAUSES,
    **COMMAND,
    **CONTRACTS,
    **ERRORS,
    **NOTES,
    # Where it shows.
    "point.example": "at your inputs",
    "point.other_values": "at other values of the same sizes",
    "point.sizes": "at other sizes: {shapes}",
    "point.unequal_sizes": "where sizes that are equal in your inputs differ: {shapes}",
    "point.equal_sizes": "where all sizes are equal",
    "point.longer": "where the rows of {argument} are not of length 1",
    "point.batch_of_one": "for a batch of one",
    "point.size_one": "where the size {size} becomes 1",
    "point.all_sizes_two": "where every size is 2",
    "point.scalar": "for 0-dimensional inputs",
    "point.empty": "for an empty batch",
    "point.wide": "at values beyond yours",
    "point.signed": "where {argument} is negative",
    "point.asymmetric": "where {argument} is not symmetric",
    "point.units": "in units in which the inputs are {scale} times as large",
    "point.large": "where {argument} is about {size}",
    "point.tiny": "where {argument} is tiny",
    "point.zero": "where an entry of {argument} is 0",
    "point.zeros": "where {argument} is zero",
    "point.edge": "where an entry of {argument} is {value}",
    "point.dtype": "in {dtype}",
    # Evidence for a cause.
    "evidence.forward_shape": "forward returns shape {returned}, the reference {expected}",
    "evidence.forward_values": "{count} of {all} numbers differ; the most: forward {returned}, "
    "the reference {expected}",
    "evidence.count": "gradients returned: {returned}; inputs of forward: {expected} ({names})",
    "evidence.no_tensor": "a {kind} was returned, which is no tensor",
    "evidence.no_backward": "forward is there, and neither backward nor vjp is defined",
    "evidence.no_ctx": "forward({names}): PyTorch gives it ctx first, which would be {first}",
    "evidence.takes": "backward({names}); forward has {count} outputs",
    "evidence.takes_one": "backward({names}); forward has 1 output",
    "evidence.takes_inputs": "backward({names}) asks for inputs of forward again; forward has "
    "{count} outputs",
    "evidence.takes_inputs_one": "backward({names}) asks for inputs of forward again; forward has "
    "1 output",
    "evidence.shape": "returned shape {returned}, the argument has {expected}",
    "evidence.shape_of": "what is returned for {name} has the shape of {other}",
    "evidence.dtype": "returned {returned}, the argument is {expected}",
    "evidence.transpose_of": "what is returned for {name} is the gradient of {other}, transposed",
    "evidence.is_product": "the gradient of {name} is {formula}",
    "evidence.rearranged": "with {right} in the place of {written}, the gradient is right ({name})",
    "evidence.runs_in_float64": "in float64 it runs: a tensor in backward has a dtype of its own; "
    "give it dtype=grad_output.dtype",
    "evidence.autograd_sums": "autograd sums it to the shape of the argument for you; where "
    "backward is called by hand, it is wrong",
    "evidence.autograd_reshapes": "autograd removes the dimension for you; where backward is "
    "called by hand, it is wrong",
    "evidence.gradient_error": "derivable.Function raises GradientError for this shape; autograd "
    "sums it for a torch.autograd.Function only",
    "evidence.raised": "{kind}: {text}",
    "evidence.forward_again": "forward gives other outputs when it is called again with the same "
    "inputs",
    "evidence.class": "a call changes {name}, which hangs on the class",
    "evidence.forward_changes": "forward changes {name} without declaring it with ctx.mark_dirty",
    "evidence.no_copy": "in float64 it does not: .float() and .to(dtype) make no copy of a tensor "
    "that has this dtype already",
    "evidence.forward_writes": "forward writes to {name} in place, which here changes no number: "
    "autograd counts the write, and backward then raises in use",
    "evidence.grad_output_changes": "backward changes grad_output",
    "evidence.backward_changes": "backward changes {name}",
    "evidence.saved_changes": "backward changes a tensor that forward saved: a second backward "
    "would see it",
    "evidence.backward_once": "a second backward of the same forward fails",
    "evidence.backward_draws": "backward draws random numbers: with another seed it returns other "
    "gradients",
    "evidence.backward_again": "a second backward of the same forward returns other gradients",
    "evidence.call_again": "the same call again returns other gradients",
    "evidence.interleaved": "forward A, forward B, backward A: the gradients of A are no longer "
    "those of A alone",
    "evidence.stale": "at new inputs, the gradient that was right at earlier ones is returned",
    "evidence.frozen": "forward gives the outputs of earlier inputs at new ones",
    "evidence.changed_by_caller": "with copies of what the Functions in it take and return it is "
    "right: the caller changes one of these in place",
    "evidence.changed": "saved tensor {position} is no longer what was saved; with a copy the "
    "gradient is right",
    "evidence.ignores": "the same gradient is returned for every grad_output",
    "evidence.factor_at_one": "for a grad_output of 1, as loss.backward() sends it, it is {factor} "
    "times the derivative",
    "evidence.constant_added": "something that does not depend on grad_output is added, "
    "as large as {size}",
    "evidence.not_zero": "for a grad_output of zero the gradient is as large as {size}",
    "evidence.degree_zero": "twice the grad_output gives the same gradient: its size is lost",
    "evidence.squared": "twice the grad_output gives four times the gradient: it is squared",
    "evidence.cubed": "twice the grad_output gives eight times the gradient: it is cubed",
    "evidence.absolute": "minus the grad_output gives the same gradient: its sign is lost",
    "evidence.one_signed": "positive and negative grad_outputs are treated differently",
    "evidence.clipped": "proportional to grad_output up to about {limit}, then no longer: "
    "it is clipped",
    "evidence.not_linear": "the gradient for a sum of grad_outputs is not the sum of the gradients",
    "evidence.unused": "when output {position} alone is used and the others bring None",
    "evidence.rounded": "the gradients are all exact {dtype} numbers, and add up only to "
    "its rounding",
    "evidence.rounded_inside": "twice grad_output gives twice the gradient, but other "
    "multiples and sums only to a rounding: grad_output passes through a smaller dtype",
    "evidence.layout_expanded": "for a grad_output of one expanded entry, as .sum() sends it",
    "evidence.layout_transposed": "for a grad_output that lies transposed in memory",
    "evidence.layout_strided": "for a grad_output that is every second entry of a larger tensor",
    "evidence.layout_rows": "for a grad_output whose columns are one expanded column",
    "evidence.layout_channels_last": "for a grad_output in channels_last order",
    "evidence.layout_conjugated": "for a grad_output that is lazily conjugated",
    "evidence.layout_inputs": "for inputs that lie transposed in memory",
    "evidence.subset": "when only {names} requires grad",
    "evidence.subset_output": "when only {names} requires grad, forward returns other numbers",
    "evidence.second": "d {name}: autograd gives {returned} for the second derivative along a "
    "random direction, measured {measured}",
    "evidence.second_none": "d {name}: autograd sees no second derivative, measured {measured}",
    "evidence.second_grad_output": "as a function of grad_output the gradient changes by "
    "{returned} for autograd, and by {measured} in truth",
    "evidence.saved_intermediate": "saved tensor {positions} is neither an input nor an output of "
    "forward, so autograd takes it for a constant: save the inputs, and compute it from them again "
    "in backward",
    "evidence.dtype_off": "in {dtype} the gradient is off by {off}, its largest entry is {size}",
    "evidence.not_finite_in": "in {dtype}, {count} of {all} entries are nan or inf, where "
    "the output and the derivative are finite",
    "evidence.way": "{way} gives another gradient than backward by hand",
    "evidence.way_raises": "{way} raises",
    "way.forward_mode": "forward mode",
    "evidence.way_not_run": "{way} does not run this backward: a planted mistake does not show "
    "there",
    "evidence.jvp": "forward mode gives {jvp} for <grad_output, J v>, backward {vjp}",
    "evidence.jvp_measured": "the jvp gives {jvp} along a random direction, measured "
    "{measured}; {count} of {all} outputs are off",
    "evidence.jvp_size": "the jvp returns {returned} numbers for {expected} outputs",
    "evidence.vmap": "vmap with in_dims={axis} gives other outputs than one call after the other",
    "evidence.vmap_gradient": "{name}: through vmap with in_dims={axis} autograd gives another "
    "gradient than through one call after the other",
    "evidence.same_tensors": "the same tensors with other numbers in them give the gradients of "
    "before",
    "evidence.superfluous": "something is returned where the derivative is 0, the rest is right",
    "evidence.lost": "0 is returned where the derivative is not, the rest is right",
    "evidence.direction": "along a random direction: returned {returned}, measured {measured} ± "
    "{error}",
    "evidence.direction_entry": "found in entry {index}: returned {returned}, measured {measured} "
    "± {error}",
    "evidence.found_at": "found {point}",
    "evidence.where_equals": "wrong where {name} is {at}",
    "evidence.count_wrong": "{count} of {all} entries of the Jacobian are wrong",
    "evidence.count_wrong_one": "1 of {all} entries of the Jacobian is wrong",
    "evidence.ratio": "returned / measured = {factor} in all {count} entries",
    "evidence.all_zero": "zero is returned everywhere, though the output depends on it",
    "evidence.or_sizes": "which may also be {names}",
    "evidence.ratio_one": "returned / measured = {factor} in the one entry that is wrong",
    "evidence.ratio_sizes": "returned / measured = {factor} with {shapes}",
    "evidence.factor_is": "the factor is {formula}",
    "evidence.swapped_argument": "{name} gets the gradient of {other}",
    "evidence.of_each_other": "{first} gets the gradient of {second}, and {second} that of {first}",
    "evidence.or_signs": "or both have the wrong sign: each of the two gradients is minus the "
    "other",
    "evidence.of_step": "it is the gradient of {formula}, as if forward lacked this step",
    "evidence.swapped_output": "for output i, the grad_output of output i + {other} is used, "
    "counted around",
    "evidence.swapped_two_outputs": "grad_output 0 and grad_output 1 are exchanged",
    "evidence.transposed": "right if {a} and {b} are exchanged",
    "evidence.times": "and times {factor}",
    "evidence.times_varying": "and times a factor that varies",
    "evidence.moved": "the measured values, {how} along {axis}",
    "evidence.permuted": "the measured values, in other positions",
    "evidence.outputs": "wrong for output {names} only",
    "evidence.part_first": "wrong only at index 0 of {axis}",
    "evidence.part_last": "wrong only at the last index of {axis}",
    "evidence.part_border": "wrong only at the first and last index of {axis}",
    "evidence.part_from": "right before index {index} of {axis}, wrong from there on",
    "evidence.part_until": "wrong before index {index} of {axis}, right from there on",
    "evidence.carried": "what is carried on from one to the next is lost",
    "evidence.part_all_but_first": "right only at index 0 of {axis}",
    "evidence.part_all_but_last": "right only at the last index of {axis}",
    "evidence.part_even": "wrong only at even indices of {axis}",
    "evidence.part_odd": "wrong only at odd indices of {axis}",
    "evidence.part_imaginary": "wrong only in the imaginary part",
    "evidence.part_some": "wrong at {count} of the {all} indices of {axis} that were measured",
    "evidence.part_diagonal": "wrong only on the diagonal of {axis}",
    "evidence.part_above": "wrong only above the diagonal of {axis}",
    "evidence.part_below": "wrong only below the diagonal of {axis}",
    "evidence.part_off_diagonal": "right only on the diagonal of {axis}",
    "evidence.part_sum": "backward has to sum over {axis}, and does not take all of it",
    "evidence.repeated": "wrong exactly in the entries to which several outputs contribute",
    "evidence.sums": "each entry of grad_output along {axes} has the same effect: only its sum is "
    "used",
    "evidence.first_alone": "only the first entry of grad_output along {axes} is used, in the "
    "place of all",
    "evidence.last_alone": "only the last entry of grad_output along {axes} is used, in the "
    "place of all",
    "evidence.summed_neighbours": "neighbours in memory are summed, not what was broadcast: a "
    "reshape mixes the axes",
    "evidence.summed_over": "right if the sum were over other axes; it is over {axes}",
    "evidence.averaged": "returned / measured = {factor}: the mean of {count}, where the sum "
    "belongs",
    "evidence.coupling": "an output depends on other entries along {measured}; backward couples "
    "along {returned}",
    "evidence.no_axis": "no axis",
    "evidence.uncoupled": "an output depends on other entries along {measured}; backward treats "
    "them as independent along some of these",
    "evidence.sparse": "{number} is missing in {count} entries, the others are right",
    "evidence.along_mean": "what is missing, {size}% of the derivative, is the same along {axis}: "
    "a sum over it is lost",
    "evidence.along_multiple": "what is missing, {size}% of the derivative, is a multiple of "
    "{name} along {axis}",
    "evidence.along_both": "what is missing, {size}% of the derivative, is a constant plus a "
    "multiple of {name} along {axis}",
    "evidence.residual": "what is missing is {size}% of the derivative",
    "evidence.residual_constant": "it is the same for all entries along {axis}",
    "evidence.residual_rank": "it has rank {rank}, the derivative {whole}",
    "evidence.ratio_formula": "returned / measured = {formula}",
    "evidence.hidden_output": "it follows the grad_output of output {output}, which has no "
    "gradient, and not that of the output which has one",
    "evidence.other_mask": "{lost} entries are lost and {superfluous} are superfluous, the others "
    "are right: as with the mask of another draw than forward's",
    "evidence.formulas": "measured: {measured}; returned: {returned}",
    "evidence.missing": "missing: {formula}",
    "evidence.skipped": "it is the gradient of forward with the derivative of {name} left out",
    "evidence.dropped": "it is the gradient of forward without what comes through {name}: as if "
    "one of its inputs were constant",
    "evidence.negated": "it is the gradient of forward with the other sign for one input of {name}",
    "evidence.slope_at_output": "it is the derivative measured at x = output",
    "evidence.slope_at_input": "given the output as x, it returns the derivative at the input",
    "evidence.side_above": "wrong where {name} > {at}, right below",
    "evidence.side_below": "wrong where {name} < {at}, right above",
    "evidence.side_outside": "wrong where |{name}| > {at}, right inside",
    "evidence.side_inside": "wrong where |{name}| < {at}, right outside",
    "evidence.side_band": "wrong only where {name} is near {at}",
    "evidence.side_out_of_band": "right only where {name} is near {at}",
    "evidence.scaled_output": "each output has a factor of its own, from {low} to {high}",
    "evidence.scaled_argument": "each entry has a factor of its own, from {low} to {high}",
    "evidence.conjugate_both": "it is the gradient of the conjugated function: the derivative is "
    "not conjugated",
    "evidence.conjugate_result": "right if the result is conjugated",
    "evidence.conjugate_grad_output": "right if grad_output is conjugated first",
    "evidence.turned": "it is the gradient of forward with {name} along another axis",
    "evidence.power_rule": "forward is {base}**{name} times a constant; what is returned is the "
    "power rule, which is for {name}**a",
    "evidence.option": "it is the gradient for {name} = {other}; forward used {value}",
    "evidence.representable": "the {count} wrong entries are all exact {dtype} numbers",
    "evidence.steps": "forward moves in steps: its derivative is 0 in all entries",
    "evidence.identity": "forward returns {name} unchanged: if another gradient is meant, "
    "declare it with surrogate=",
    "evidence.offset": "{form} is off by {offset} in every entry, as where a small constant is "
    "added in backward only",
    "evidence.staircase": "it moves in steps of about {size} of its size when the inputs move "
    "smoothly",
    "evidence.units": "forward's outputs are in proportion, so the gradient stays what it is; "
    "{count} of {all} entries do not",
    "evidence.cancellation": "the smaller the argument, the fewer digits are right: it is off by "
    "{shares} of its size, as where nearly equal numbers are subtracted",
    "evidence.nearly": "nearly right: no entry is off by more than {size} of its size",
    "evidence.not_finite": "{count} of {all} entries are nan or inf; outputs and derivatives are "
    "finite",
    "evidence.edge_above": "forward is finite there, and its slope from above is {above}",
    "evidence.edge_below": "forward is finite there, and its slope from below is {below}",
    "evidence.edge_both": "forward is finite there, and so are its slopes: {below} from "
    "below, {above} from above",
    "evidence.underflow": "0 is returned in {count} entries whose derivative is not 0",
    # Where inputs come from that were not given.
    "found.examples": "at its examples()",
    "found.call": "inputs of a call in {location}: {inputs}",
    "found.chosen": "inputs chosen by {source}: {inputs}; at others: {call}",
    "found.annotations": "annotations",
    "found.docstring": "the docstring",
    "found.names": "the names of the arguments",
    "found.search": "trying small shapes",
    # The checks, the sections of a report, and the verdicts on them.
    "check.forward": "forward",
    "check.calls": "calls",
    "check.values": "values",
    "check.directions": "directions",
    "check.sizes": "sizes",
    "check.special sizes": "special sizes",
    "check.values at large": "values beyond yours",
    "check.special values": "special values",
    "check.edges": "edges",
    "check.linearity": "linearity",
    "check.units": "units",
    "check.layout": "layout",
    "check.unused outputs": "unused outputs",
    "check.subsets": "subsets",
    "check.second order": "second order",
    "check.float32": "float32",
    "check.half precision": "half precision",
    "check.ways to run": "ways to run",
    "check.diagnosis": "diagnosis",
    "section.first_order": "first order",
    "section.second_order": "second order",
    "section.sizes": "sizes and special values",
    "section.precision": "precision",
    "section.ways": "ways to run",
    "verdict.right": "right",
    "verdict.wrong": "wrong",
    "verdict.inconclusive": "not decided",
    "verdict.not_applicable": "not applicable",
    # How a report is shown.
    "show.right": "{function}: right ({seconds:.2f} s)",
    "show.right_first_order": "{function}: right to first order, wrong in {sections} "
    "({seconds:.2f} s)",
    "show.right_warnings": "{function}: right, with {count} warnings ({seconds:.2f} s)",
    "show.right_warnings_one": "{function}: right, with a warning ({seconds:.2f} s)",
    "show.wrong": "{function}: wrong ({count} findings, {seconds:.2f} s)",
    "show.wrong_one": "{function}: wrong (1 finding, {seconds:.2f} s)",
    "show.wrong_precision": "{function}: right in float64, wrong in smaller dtypes "
    "({seconds:.2f} s)",
    "show.wrong_rounded": "{function}: wrong: a number is rounded to {dtype} on the way "
    "({seconds:.2f} s)",
    "show.wrong_imprecise": "{function}: wrong: precision is lost on the way ({seconds:.2f} s)",
    "show.wrong_elsewhere": "{function}: right at inputs like yours, wrong in {sections} "
    "({seconds:.2f} s)",
    "show.inconclusive": "{function}: inconclusive ({seconds:.2f} s)",
    "show.heading": "{cause}",
    "show.heading_point": "{cause}, {point}",
    "show.heading_argument": "{argument}: {cause}",
    "show.heading_argument_point": "{argument}: {cause}, {point}",
    "show.warning": "warning: {finding}",
    "show.worst": "worst entry {entry}: returned {returned}, measured {measured} ± {error}",
    "show.advice": "to try: {advice}",
    "show.rivals": "fits as well: {rivals}",
    "show.note": "note: {note}",
    "show.section": "{section}: {verdict}",
    "show.checks": "checks: {checks} ({total} comparisons, {calls} calls of forward and backward)",
    "show.inputs": "inputs: {inputs}",
    "show.seed": "seed: {seed}",
    "show.reproduction": "to see it by yourself:",
    "show.elsewhere": "it shows {point}; below are the inputs that were given",
    "show.more": "there is more: print(report.details())",
    "show.more_findings": "{count} more findings: print(report.details())",
    "show.map": "{argument}: the distance of returned and measured, relative to the larger",
    "show.map_blocks": "each cell is the worst of {rows} by {columns} entries",
    "show.map_none": "{argument}: no gradient was returned",
    "show.map_agree": "agrees",
    "show.map_lost": "nan or inf",
    "show.map_cell": "{entry}: returned {returned}, measured {measured} ± {error}",
}
