"""`Slot`: one argument of a forward, and the kinds of values that it may take, likeliest first."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass, field
from typing import Any

from derivable.examiner.inputs import found_names as names
from derivable.examiner.inputs.found_usage import Usage

INTEGER_ANNOTATIONS = ("Int", "Integer", "UInt", "Int64", "Int32", "LongTensor", "Long")
_SHAPED = re.compile(r"(\w+)\[\s*(?:[\w.]+)\s*,\s*['\"]([^'\"]*)['\"]\s*\]")


@dataclass
class Slot:
    """An argument that needs a value, and what is known of its kind, shape and values.

    Kinds are "float", "int" and "bool" (tensors), and "value" (an option, one of `values`). Each
    has a cost; candidates for all arguments together are tried in the order of the sum of their
    costs.
    """

    name: str
    kinds: list[tuple[float, str]]  # (cost, kind), the lowest cost first
    role: str = ""  # of a float tensor, by its name: a key of `found_names.ROLES`
    integer: str = ""  # of an integer tensor, by its name: a key of `found_names.INTEGERS`
    values: list[Any] = field(default_factory=list)
    dims: str | None = None  # the dimensions that an annotation states, such as "batch n"
    documented: str | None = None  # the same from a docstring, which need not be right
    keyword: bool = False  # whether it is keyword-only
    star: bool = False  # whether it is `*args`
    domain: str = ""  # what its docstring states of its values, as a domain of a Spec
    factor: bool = False  # whether it is a factor of a matrix product
    sizes: tuple[int, ...] = ()  # of a module's parameters, one of which its input has to fit

    def document(self, sizes: str | None) -> None:
        """Take the shape that a docstring states; a stated shape makes an option less likely."""
        self.documented = sizes
        if sizes is not None:
            costs = [(cost + 3 * (kind == "value"), kind) for cost, kind in self.kinds]
            self.kinds = sorted(costs, key=lambda pair: pair[0])


def slot_of(parameter: inspect.Parameter, usage: Usage) -> Slot:
    """The kinds and values of one argument, by its annotation, name, default and use."""
    name = parameter.name
    annotated, dims = annotation_of(parameter.annotation)
    slot = Slot(name, [], names.role_of(name), names.integer_role(name), dims=dims)
    slot.keyword = parameter.kind is parameter.KEYWORD_ONLY
    slot.star = parameter.kind is parameter.VAR_POSITIONAL
    if dims is None and usage.shapes:
        slot.dims = " ".join(map(str, usage.shapes[0]))
    slot.factor = "factor" in usage.tags
    slot.values = _values(name, annotated, usage, parameter.default)
    costs = _kinds(slot, annotated, usage)
    slot.kinds = sorted(((cost, kind) for kind, cost in costs.items()), key=lambda pair: pair[0])
    return slot


def annotation_of(annotation: Any) -> tuple[str, str | None]:
    """An annotation as text, and the dimensions that it states, None where it states none.

    `Float[Tensor, "batch n"]` is ("FloatTensor", "batch n").
    """
    if annotation is inspect.Parameter.empty:
        return "", None
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    found = _SHAPED.search(text)
    if found is None:
        return text.replace("torch.", ""), None
    return f"{found.group(1)}Tensor", found.group(2)


def _kinds(slot: Slot, annotated: str, usage: Usage) -> dict[str, float]:
    """The cost of each kind.

    An annotation decides most, then the use in the source ("graded": backward returns a gradient
    for it; `Usage` describes the other tags), then the name.
    """
    tags, name = usage.tags, slot.name.lower().strip("_")
    costs = {"float": 1.0, "int": 3.0, "bool": 4.0, "value": 3.0}
    is_option = bool(names.option_values(name))
    if "graded" in tags and not tags & {"flag", "exponent", "integer"} and not usage.choices:
        costs |= {"float": 0.0, "int": 5.0, "bool": 5.0, "value": 4.0}
    elif usage.tensor:
        costs |= {"float": 0.0, "value": 6.0}
    elif slot.role and not is_option:
        costs |= {"float": 0.2, "value": 4.0}
    if is_option and not usage.tensor and "graded" not in tags:
        costs["value"] = 0.4 if not slot.role else 0.7
    if usage.choices or (tags & {"flag", "none", "exponent", "integer"} and not usage.tensor):
        costs["value"] = min(costs["value"], 0.1)
    if "option" in tags and not usage.tensor:
        costs["value"] = min(costs["value"], 0.5)
    if "graded" not in tags:
        costs["int"] = min(costs["int"], _as_integers(slot, tags))
    if "ungraded" in tags:
        costs["value"] -= 0.1 if usage.tensor else 1.0
        costs |= {"float": costs["float"] + 0.3, "int": costs["int"] - 0.5}
        if not usage.tensor and slot.role in ("", "scale", "v", "p", "gain", "shift", "c"):
            costs["value"] = min(costs["value"], 0.2)
    if name in names.MASKS or "mask" in tags:
        costs["bool"] = 0.1
    return costs | _annotated_kinds(annotated)


def _as_integers(slot: Slot, tags: set[str]) -> float:
    """The cost of the kind "int": low for labels, indices and lengths, by name or by use."""
    if "index" in tags:
        return 1.0 if slot.role == "x" and "ungraded" not in tags else 0.0
    if slot.integer and not slot.role:
        return 0.3
    return 0.9 if slot.integer == "label" else 9.0


def _annotated_kinds(annotated: str) -> dict[str, float]:
    """The costs that an annotation changes, by kind; empty where it states no kind."""
    if "Tensor" in annotated:
        if any(word in annotated for word in INTEGER_ANNOTATIONS):
            return {"int": -1.0, "value": 9.0}
        return {"bool": -1.0} if "Bool" in annotated else {"float": 0.0, "value": 9.0}
    words = set(re.findall(r"\w+", annotated))
    options = {"float", "int", "bool", "str", "tuple", "list", "Sequence", "Literal", "Callable"}
    return {"value": -1.0, "float": 4.0} if words & options else {}


def _values(name: str, annotated: str, usage: Usage, default: Any) -> list[Any]:
    """The values to try for an option, the likeliest first, without repetitions."""
    literal = re.search(r"Literal\[(.*?)\]", annotated)
    chosen = [*(_literals(literal.group(1)) if literal else []), *usage.choices]
    known = [*chosen, *([3, 2, 2.5] if "exponent" in usage.tags else [])]
    known += names.option_values(name)
    known = _typed(known, set(re.findall(r"\w+", annotated)))
    if not chosen:
        flags = [True, False] if "flag" in usage.tags else []
        known = [*known, *flags, 2.0, 0.5, 2, 1, 0, True, -1]
    if default is None or "none" in usage.tags:
        known = [*known, None]
    return list({(type(v), repr(v)): v for v in known}.values())


def _typed(values: list[Any], words: set[str]) -> list[Any]:
    """The values of the types that an annotation names, with usual ones; all if it names none."""
    if words & {"tuple", "list", "Sequence", "Iterable"}:
        return [v for v in values if isinstance(v, tuple | list)] or values
    usual: dict[type, list[Any]] = {
        bool: [True, False], str: ["mean"], int: [2, 1, 0, 3], float: [0.5, 2.0]
    }  # fmt: skip
    stated = [kind for kind in usual if kind.__name__ in words]
    return [v for kind in stated for v in (*values, *usual[kind]) if type(v) is kind] or values


def _literals(text: str) -> list[Any]:
    """The values of `Literal[text]`; empty where they cannot be evaluated."""
    try:
        return list(ast.literal_eval(f"({text},)"))
    except (ValueError, SyntaxError):
        return []
