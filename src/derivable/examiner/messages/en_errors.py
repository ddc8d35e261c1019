"""The texts of the examiner's errors, and of what the pytest plugin reports, in English."""

from __future__ import annotations

ERRORS: dict[str, str] = {
    "error.tensors_inside": "{function}: an input computes with the tensors of a {kind}, which are "
    "inputs, too, and cannot be replaced there; examine a function of these tensors that makes the "
    "{kind} and calls {function}",
    # Parts of several messages.
    "error.none": "none",
    "error.did_you_mean": "did you mean {name}?",
    "error.the_reference": "the reference",
    "error.surrogate_of": "surrogate_of",
    "error.refusal": ": {error} at ({shapes}): {text}",
    # Targets, and the inputs that they take.
    "error.not_callable": "check examines a Function, a callable or a module, got {kind}",
    "error.no_float": "{function}: none of the inputs is a floating-point tensor, so there is no "
    "gradient to examine; give at least one, for example torch.randn(4, 3)",
    "error.no_inputs_found": "no inputs were found at which {function} runs{refusal}; give its "
    "inputs: check({function}, torch.randn(4, 3), ...)",
    "error.no_call_kept": "{name}: the inputs of none of its calls could be kept; give inputs: "
    "check({name}, torch.randn(4, 3), ...)",
    "error.forward_raises": "{function}.forward raises {error} at the given inputs: {text}; give "
    "inputs at which it runs",
    "error.no_such_input": "{function}.forward has no input {argument!r}; it takes {names}",
    "error.gradient_elsewhere": "the gradient of input {input} lies on {found}, and the input on "
    "{device}; make it there, for example by torch.zeros_like(x)",
    "error.input_missing": "{function}: the input {argument} is missing",
    "error.operator_takes": "{name} takes {names}; got {count} inputs and {keywords} by keyword",
    "error.operator_takes_one": "{name} takes {names}; got 1 input and {keywords} by keyword",
    "error.operator_without_backward": "{name} has no backward; register one with "
    "register_autograd, or examine the functions that call it at inputs that do not require grad",
    "error.plain_class": "{name} is a plain class, which autograd does not run; examine it by "
    "hand, or make it a torch.autograd.Function",
    "error.not_one_number": "{name}: the value must be one number, got shape {shape}",
    "error.sparse_layout": "{function}: {argument} has the layout {layout} and {axes} axes; sparse "
    "tensors are examined in the layouts sparse_coo, and sparse_csr or sparse_csc of 2 axes: "
    "convert it, or give it dense",
    "error.sparse_output": "{function}.forward returns a tensor of the layout {layout}; only dense "
    "outputs are examined: return it .to_dense(), or examine the function that uses it",
    # Functions to compare with, contracts, declarations, settings.
    "error.surrogate_shapes": "surrogate_of returns shapes {returned}, and {function}.forward "
    "{expected}; give a function of the same inputs with outputs of the same shapes",
    "error.given_raises": "{what} raises {error} at the inputs of {function}: {text}; it must take "
    "the same inputs",
    "error.contract_unknown": "the contract of {argument} is {got!r}; expected one of {names}, "
    "index(5), fixed(0), 0..1, or several of them with +",
    "error.contract_form": "a contract is ARGUMENT=CONTRACT, such as A=symmetric, got {got!r}",
    "error.contract_argument": "{function} has no input {argument!r} to which a contract could "
    "apply; it takes {names}",
    "error.contract_type": "{function}: {argument} has a contract, and is of type {kind}; only "
    "tensors have contracts",
    "error.contract_broken": "{function}: the given {argument} does not fulfil its contract "
    "({contract}); give one that does, or another contract",
    "error.nothing_declared": "declare needs at least one of examples=, contracts=, surrogate= and "
    "surrogate_of=",
    "error.no_declarations": "there is no file {path} of declarations",
    "error.no_reference": "--reference: there is no file {path}",
    "error.surrogate_form": "a surrogate is PATTERN=REASON, such as package.*STE, got {got!r}",
    "surrogate.declared": "declared from outside",
    "error.budget": "budget must be a positive number of calls, got {got}",
    "error.timeout": "timeout must be a positive number of seconds, got {got}",
    "error.level": "level must be one of {names}, got {got!r}",
    "error.no_setting": "there is no setting {name!r}; there are {names}",
    # --input.
    "error.input_form": "expected name:shape, name:shape:dtype or name=value, such as "
    '"x:13x5 w:5x7:float32 s: labels:13:int<7 p:13x5:0.1..0.9 alpha=0.1"',
    "error.input_empty": "--input is empty: {form}",
    "error.input_unreadable": "--input: {word!r} cannot be read: {form}",
    "error.input_value": "--input: the value of {name} cannot be read in {word!r}: expected a "
    "number, True, None, a word, or a tuple without spaces",
    "error.input_dtype": "--input: {got!r} in {word!r} is no dtype; there are {names}",
    "error.input_limit": "--input: integers need a limit: {word}<7 draws {name} from 0 to 6",
    "error.input_below": "--input: < is for integers, as in labels:13:int<7; numbers between two "
    "limits are {right}",
    "error.input_range": "--input: {word!r} cannot be read: a range is low..high in a "
    "floating-point dtype, such as 0.1..0.9",
    "error.input_unknown": "there is no input {name!r}: it takes {names}",
    "error.input_repeated": "{name} is given {count} times",
    "error.input_left_out": "it takes {names}, and only {given} is given",
    # Files, modules and programs.
    "error.target_missing": "Missing argument 'TARGET...'.",
    "error.no_file": "there is no file {path}",
    "error.no_package": "{path} is a folder and no package; name a file in it",
    "error.no_python_file": "{path} is no file of Python; its name must end in .py, or .ipynb for "
    "a notebook",
    "error.no_notebook": "{path} is no notebook that can be read",
    "error.no_target": "{name!r} is no file and no module; expected file.py, notebook.ipynb, "
    "package.module, or one of them with :Name",
    "error.no_module": "there is no module {module} to be found from here",
    "error.no_module_but": "there is no module {module} to be found from here; {hint}",
    "error.no_main_module": "there is no module {module} to be run from here",
    "error.no_function": "{location} has no Function {name}; {hint}",
    "error.defines": "it defines {names}",
    "error.other_module": "{path}: another {module} was found first, at {other}",
    "error.import_timeout": "{name} was not imported within {seconds} s (--run-timeout)",
    "error.module_not_installed": "the module {module} is not installed",
    "error.input_called": "input() was called too often, and no answer is given here",
    # The pytest plugin.
    "plugin.no_inputs": "no inputs for it",
    "plugin.not_examined": "{name}: not examined, {reason}",
    "plugin.right_now": "{name} is right now: take it off the list {list}",
    "plugin.listed": "{cause}: listed in {list}",
    "plugin.nothing_called": "derivable: these tests called no Function that is defined outside of "
    "PyTorch",
    "error.listed_unknown": "{list} lists {name}, and there is no such Function: --derivable found "
    "{names}; correct the name or take it off the list",
}
