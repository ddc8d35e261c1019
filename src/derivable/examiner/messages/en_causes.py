"""The causes in English: "cause.<id>" names the mistake, "advice.<id>" states what to try."""

from __future__ import annotations

CAUSES: dict[str, str] = {
    "cause.forward": "forward computes something else than the reference",
    "advice.forward": "Compare forward with its formula: mean or sum, axes, signs.",
    "cause.count": "the number of gradients is wrong",
    "advice.count": "Return one gradient per input of forward, in its order; None for what has "
    "none.",
    "cause.no_ctx": "forward does not take ctx",
    "advice.no_ctx": "Write def forward(ctx, ...): ctx keeps what backward needs, with "
    "ctx.save_for_backward(...). Or define setup_context(ctx, inputs, output) beside it.",
    "cause.no_backward": "backward is missing",
    "advice.no_backward": "Write def backward(ctx, grad_output), a static method that returns one "
    "gradient per input of forward.",
    "cause.backward_signature": "backward takes other arguments than it is given",
    "advice.backward_signature": "backward receives ctx and one grad_output per output of forward, "
    "nothing else; save inputs with ctx.save_for_backward and read them from ctx.saved_tensors.",
    "cause.none": "no gradient is returned, though the output depends on it",
    "advice.none": "Return its gradient. If none is meant to exist, pass that input with "
    "requires_grad=False and the others with requires_grad=True.",
    "cause.shape": "the gradient has the wrong shape",
    "advice.shape": "A gradient has the shape of its input: compare them line by line.",
    "cause.keepdim": "the gradient has a dimension of size 1 too many",
    "advice.keepdim": "Drop keepdim=True, or reshape it: .reshape(argument.shape).",
    "cause.dtype": "the gradient has the wrong dtype",
    "advice.dtype": "Compute in the dtype of the input, or convert with .to(input.dtype).",
    "cause.raises": "backward raises an error",
    "advice.raises": "Run backward by hand with a Context to see the whole traceback.",
    "cause.in_place": "a tensor that does not belong to it is changed in place",
    "advice.in_place": "Make a new tensor instead: a * b, not a.mul_(b). Inputs that forward must "
    "change need ctx.mark_dirty.",
    "cause.state": "state is shared between calls",
    "advice.state": "Keep everything on ctx: a class, module or cache outlives the call.",
    "cause.random": "it cannot be repeated: random numbers are drawn anew",
    "advice.random": "Draw once in forward, save the mask on ctx, and use that one in backward.",
    "cause.not_linear": "backward is not linear in grad_output",
    "advice.not_linear": "A gradient is a matrix times grad_output: no abs, square, clip, sign or "
    "constant may touch it.",
    "cause.ignores_grad_output": "grad_output is not used",
    "advice.ignores_grad_output": "Multiply by grad_output: backward returns a product, not a "
    "derivative.",
    "cause.sums_grad_output": "only a sum, a mean or one entry of grad_output is used",
    "advice.sums_grad_output": "Each output has its own grad_output: multiply first, sum "
    "afterwards.",
    "cause.layout": "it is right only for one memory layout",
    "advice.layout": "Use .reshape instead of .view, and never the order in storage.",
    "cause.sign": "the sign is wrong",
    "advice.sign": "Look at the order of a difference, or a minus lost in the chain.",
    "cause.factor": "a constant factor is wrong",
    "advice.factor": "Compare by which numbers forward and backward multiply and divide: the "
    "exponent of a power, 1/2, the number of entries of a mean.",
    "cause.swapped": "the gradient of another argument is returned in its place",
    "advice.swapped": "Return the gradients in the order of forward's inputs.",
    "cause.swapped_outputs": "the grad_output of another output is used",
    "advice.swapped_outputs": "backward receives one grad_output per output, in the order in which "
    "forward returns them.",
    "cause.transposed": "two axes are exchanged",
    "advice.transposed": "Write the shapes beside each factor of the product; one needs a .T.",
    "cause.missing_sum": "a broadcast dimension is not summed over",
    "advice.missing_sum": "What was broadcast in forward is summed in backward: "
    ".sum_to_size(argument.shape).",
    "cause.mean_for_sum": "the mean is returned where the sum belongs",
    "advice.mean_for_sum": "What was broadcast in forward is summed in backward: .sum, not .mean.",
    "cause.wrong_axis": "it is summed, averaged or normalised over the wrong axis",
    "advice.wrong_axis": "Use the same dim in backward as in forward.",
    "cause.last_step": "forward and backward differ in their last step",
    "advice.last_step": "If backward is meant, add the step to forward; if forward is, multiply "
    "backward by the derivative of its last step.",
    "cause.slope_at_output": "the slope is taken at the output instead of the input",
    "advice.slope_at_output": "Save the input for this formula.",
    "cause.slope_at_input": "the formula for the output is applied to the input",
    "advice.slope_at_input": "Save the output for this formula, or compute it again.",
    "cause.one_side": "it is wrong on one side of a threshold",
    "advice.one_side": "Compare the conditions and the branches of forward and backward.",
    "cause.part_only": "only a part of it is wrong",
    "advice.part_only": "Look at how that part is indexed, padded or looped over.",
    "cause.missing_term": "a term of the derivative is missing or has a wrong coefficient",
    "advice.missing_term": "Derive it again with the product rule: each place where the input "
    "enters gives a term.",
    "cause.power": "another power than that of the derivative",
    "advice.power": "Derive it again: the derivative of x**p is p * x**(p - 1).",
    "cause.constant": "another constant or formula than forward used",
    "advice.constant": "Keep the value on ctx in forward and use that one in backward; if "
    "forward is an approximation, differentiate that approximation.",
    "cause.positions": "the values are right, their positions are not",
    "advice.positions": "Undo flips, rolls, permutations and reshapes in the reverse order.",
    "cause.repeated_positions": "repeated positions overwrite each other instead of adding up",
    "advice.repeated_positions": "Use index_add_, scatter_add_ or index_put_(accumulate=True).",
    "cause.chain_rule": "a factor of the chain rule is missing or wrong",
    "advice.chain_rule": "Write forward in single steps; each step gives one factor of backward.",
    "cause.conjugate": "a complex conjugate is missing, or one too many",
    "advice.conjugate": "PyTorch's gradient is grad_output * derivative.conj().",
    "cause.second_order": "the first derivative is right, the second is silently wrong",
    "advice.second_order": "Use PyTorch operations on inputs and outputs in backward: no "
    ".detach(), .data or NumPy; or mark it @once_differentiable.",
    "cause.precision": "precision is lost on the way",
    "advice.precision": "Look for .float(), .half(), a constant tensor of a smaller dtype, "
    "torch.where with two Python numbers, which makes float32, or a difference of nearly equal "
    "numbers.",
    "cause.changed_after_saving": "a saved tensor is changed after it was saved",
    "advice.changed_after_saving": "Save a clone, or do not change it in place.",
    "cause.not_finite": "it is not finite where the derivative is",
    "advice.not_finite": "Use a form that cannot overflow, such as torch.sigmoid, torch.xlogy or "
    "y * (1 - y), and torch.where on the inputs, not on the results.",
    "cause.needs_input_grad": "it is wrong when only some inputs require grad",
    "advice.needs_input_grad": "Keep one place per input; ctx.needs_input_grad only decides what "
    "is computed.",
    "cause.sizes": "it is right for some sizes only",
    "advice.sizes": "Look for sizes written as numbers, .squeeze() and sizes that happen to be "
    "equal.",
    "cause.option": "it is right for some options only",
    "advice.option": "Keep the option on ctx in forward and use it in backward.",
    "cause.jvp": "the jvp, which forward mode runs, is wrong",
    "advice.jvp": "The jvp is the derivative of forward times the tangents: derive it like "
    "backward, without a transpose.",
    "cause.way": "a way of running it disagrees with backward",
    "advice.way": "Compare that rule with backward; derivable.Function makes them all from it.",
    "cause.surrogate": "a gradient is returned where the derivative is 0: a straight-through "
    "estimator?",
    "advice.surrogate": 'If it is meant, declare it: surrogate = "why" on the class, or '
    'check(..., surrogate="why"). Its values are then not compared.',
    "cause.unrecognised": "it is wrong, and the cause is not recognised",
    "advice.unrecognised": "Compare the worst entry with the derivation by hand.",
}
