"""Right answers in other forms are accepted; answers that are nearly right are refused with why."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from derivable.labs.feedback import Feedback, Status
from derivable.labs.ownership import watched
from derivable.labs.sheet import load
from derivable.language import LANGUAGES
from tests.labs import linear, on, rehearsed, written

CLASS = """
class {name}(Function):
    @staticmethod
    def forward(ctx, {inputs}):
        {forward}
    @staticmethod
    def backward(ctx, grad_output):
        {backward}
"""


def judged(sheet: str, key: str, code: str, **names: Any) -> dict[str, Feedback]:
    """The feedback on what the code defines last, in both languages."""
    answer = list(written(code, **names).values())[-1]
    return {lang: on(key, answer, lang, sheet) for lang in LANGUAGES}


def a_class(name: str, inputs: str, forward: str, backward: str) -> str:
    """A Function; its statements are separated by semicolons."""
    lines = {"forward": forward, "backward": backward}
    indented = {key: text.replace("; ", "\n        ") for key, text in lines.items()}
    return CLASS.format(name=name, inputs=inputs, **indented)


def refused(found: dict[str, Feedback], mistake: str, english: str, french: str) -> None:
    """Both have this mistake, and their own words for it."""
    for feedback in found.values():
        assert not feedback.right
        assert feedback.mistake == mistake, feedback
        assert feedback.share < 1
    assert english in " ".join(found["en"].lines)
    assert french in " ".join(found["fr"].lines)


# derivatives that are to be written by hand

AUTOGRAD = {
    "grad": """
        def d_cubic(x):
            x = x.detach().requires_grad_()
            return torch.autograd.grad((FORMULA).sum(), x)[0]
    """,
    "backward": """
        def d_cubic(x):
            x = x.clone().requires_grad_()
            (FORMULA).sum().backward()
            return x.grad
    """,
    "functional": """
        def d_cubic(x):
            return torch.autograd.functional.jacobian(lambda x: (FORMULA).sum(), x)
    """,
}


@pytest.mark.parametrize("way", AUTOGRAD)
def test_a_derivative_by_autograd_is_declined(way: str) -> None:
    found = judged("tp1", "cubic", AUTOGRAD[way].replace("FORMULA", "x**3 - 4 * x**2 + 2"))
    refused(found, "borrowed", "asks autograd for the derivative", "demande la dérivée à autograd")
    assert found["en"].status is Status.DECLINED


def test_forward_mode_is_noticed() -> None:
    names: dict[str, Any] = {}
    code = "def make_dual(x): return x\ndef other(x): return x"
    exec(compile(code, torch.autograd.forward_ad.__file__, "exec"), names)
    for name, expected in (("make_dual", True), ("other", False)):
        with watched() as calls:
            names[name](1)
        assert calls.autograd is expected


def test_a_gradient_of_a_table_by_autograd_is_declined() -> None:
    code = """
        def loss_gradient(x, y, w):
            w = w.clone().requires_grad_()
            ((x @ w - y) ** 2).mean().backward()
            return w.grad
    """
    refused(judged("tp1", "by_hand", code), "borrowed", "asks autograd", "à autograd")


def test_a_training_by_autograd_is_declined_where_there_is_no_backward() -> None:
    code = """
        def train(x, y, w, EPOCHS, EPS):
            history = []
            for _ in range(EPOCHS):
                w = w.detach().requires_grad_()
                loss = ((x @ w - y) ** 2).mean()
                history.append(loss.item())
                loss.backward()
                w = w.detach() - EPS * w.grad
            return w, history
    """
    refused(judged("tp6", "train", code), "borrowed", "or the gradient", "la formule du gradient")


@pytest.mark.parametrize("formula", ["x * (3 * x - 8)", "3 * x.square() - 8 * x.clone()"])
def test_a_derivative_in_another_form_is_right(formula: str) -> None:
    found = judged("tp1", "cubic", f"def d_cubic(x):\n    return {formula}")
    assert found["en"].right


# products without a matrix, and the power method


@pytest.mark.parametrize(
    ("product", "right"),
    [
        ("2 / len(x) * x.T @ (x @ v)", True),
        ("2 * torch.einsum('nd,nk->dk', x, x @ v) / x.shape[0]", True),
        ("2 * (x * (x @ v)).mean(0)[:, None]", True),
        ("2 / len(x) * x.T @ x @ v", False),
        ("torch.einsum('nd,ne->de', x, x) @ v * 2 / len(x)", False),
        ("sum(2 / len(x) * torch.outer(row, row) for row in x) @ v", False),
    ],
)
def test_a_product_by_way_of_the_matrix_is_noticed(product: str, right: bool) -> None:
    found = judged("tp6", "linear", f"def hvp_linear(x, v):\n    return {product}")
    assert found["en"].right == right, found["en"]
    if not right:
        refused(found, "table.built", "is built on the way", "est construit en chemin")
        assert found["en"].share == 0.5


POWER = """
    def power_method(hvp, v, steps):
        for _ in range({steps}):
            v = hvp(v)
            v = v / {length}
        return {value}
"""
EIGENVALUE = """
    def power_method(hvp, v, steps):
        matrix = torch.stack([hvp(one) for one in torch.eye(len(v), dtype=v.dtype)])
        values = torch.linalg.eigvalsh(matrix)
        return values[values.abs().argmax()]
"""


@pytest.mark.parametrize(
    ("steps", "length", "value", "mistake"),
    [
        ("steps", "v.norm()", "(v * hvp(v)).sum() / (v * v).sum()", ""),
        ("steps", "(v @ v) ** 0.5", "v @ hvp(v)", ""),
        ("steps", "v.abs().max()", "(v @ hvp(v)) / (v @ v)", ""),
        ("200", "v.norm()", "v @ hvp(v)", "few.values"),
        ("steps + 1", "v.norm()", "v @ hvp(v)", "few.values"),
    ],
)
def test_the_power_method_takes_the_steps_that_it_is_given(
    steps: str, length: str, value: str, mistake: str
) -> None:
    found = judged("tp6", "power", POWER.format(steps=steps, length=length, value=value))
    assert found["en"].mistake == mistake, found["en"]
    if mistake:
        refused(found, mistake, "a small number of steps", "un petit nombre de pas")


def test_an_eigenvalue_without_products_is_declined() -> None:
    refused(judged("tp6", "power", EIGENVALUE), "borrowed", "calls linalg_eigvalsh", "eigvalsh")
    code = """
        def sharpness(loss, theta, v, steps):
            hessian = torch.autograd.functional.hessian(loss, theta)
            return torch.linalg.eigvalsh(hessian)[-1]
    """
    refused(judged("tp6", "sharpness", code), "borrowed", "calls linalg_eigvalsh", "eigvalsh")


# gradcheck

CHECKS = """
    def check_mse():
        a, b = (torch.randn(10, 5, requires_grad=True, dtype=torch.float64) for _ in range(2))
        {mse}

    def check_linear():
        shapes = (13, 5), (5, 7), (7,)
        inputs = [torch.randn(s, requires_grad=True, dtype=torch.float64) for s in shapes]
        return torch.autograd.gradcheck(lambda *given: Linear.apply(*given), inputs)
"""


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("body", "mistake", "words"),
    [
        ("return gradcheck(mse, (a, b))", "", ("", "")),
        ("return gradcheck(lambda p, q: MSE.apply(p, q).sum(), (a, b))", "", ("", "")),
        ("return True", "check_mse not called", ("gradcheck was not called", "soit appelé")),
        ("gradcheck(mse, (a, b))", "check_mse not true", ("returns None", "renvoie None")),
        (
            "return gradcheck(torch.nn.functional.mse_loss, (a, b))",
            "check_mse other",
            ("is not your MSE", "qui n'est pas votre MSE"),
        ),
    ],
)
def test_gradcheck_was_called_on_the_students_function(
    lang: str, body: str, mistake: str, words: tuple[str, str]
) -> None:
    known = rehearsed("tp2", "en").after["linear"]
    names = {name: known[name] for name in ("MSE", "Linear", "mse", "gradcheck")}
    found = written(CHECKS.format(mse=body), **names)
    answers = found["check_mse"], found["check_linear"]
    feedback = load("tp2", lang).feedback("gradcheck", *answers, seed=3)
    assert feedback.mistake == mistake, feedback
    assert words[LANGUAGES.index(lang)] in feedback.lines[0]


def test_gradgradcheck_was_called() -> None:
    found = judged("tp6", "twice", "def check_twice():\n    return True")
    refused(found, "check_twice not called", "gradgradcheck was not called", "gradgradcheck soit")


# backwards

RELU = "ctx.save_for_backward(x); return torch.relu(x)"
SAVED = "(x,) = ctx.saved_tensors; return "


@pytest.mark.parametrize("slope", ["(x >= 0)", "(x > 0)", "torch.where(x < 0, 0.0, 1.0)"])
def test_another_slope_at_the_kink_is_a_remark(slope: str) -> None:
    found = judged("tp2", "relu", a_class("ReLU", "x", RELU, f"{SAVED}grad_output * {slope}"))
    for lang, words in (("en", "at x = 0"), ("fr", "en x = 0")):
        assert found[lang].right, found[lang]
        assert found[lang].share == 1
        assert any(words in remark for remark in found[lang].remarks) == (slope != "(x > 0)")


def test_a_comparison_after_a_product_is_explained() -> None:
    found = judged("tp2", "relu", a_class("ReLU", "x", RELU, f"{SAVED}grad_output * x > 0"))
    refused(found, "backward.x.booleans", "means (g * x) > 0", "signifie (g * x) > 0")


def test_saved_tensors_that_are_not_unpacked_are_explained() -> None:
    body = "x = ctx.saved_tensors; return grad_output * (x > 0)"
    found = judged("tp2", "relu", a_class("ReLU", "x", RELU, body))
    assert not found["en"].right
    assert "unpack it, as in (x,) = ctx.saved_tensors" in str(found["en"])
    assert "le déballer, comme dans (x,) = ctx.saved_tensors" in str(found["fr"])


def test_none_for_a_gradient_is_said_to_be_none() -> None:
    wrong = linear("return grad_output @ w.T,", "return None,")
    found = {lang: on("linear", wrong, lang) for lang in LANGUAGES}
    refused(found, "backward.x.none", "has returned None for x,", "a renvoyé None pour x,")


def test_numbers_of_the_examiner_have_the_decimal_sign_of_the_language() -> None:
    wrong = linear("x.T @ grad_output", "0.37 * x.T @ grad_output")
    found = {lang: on("linear", wrong, lang) for lang in LANGUAGES}
    refused(found, found["en"].mistake, "0.37", "0,37")


SOFTMAX = "p = torch.exp(logits); p = p / p.sum(1, True); ctx.save_for_backward(p); return p"


@pytest.mark.parametrize(
    ("backward", "key", "english", "french"),
    [
        ("p * (g - g.sum(1, True))", "unweighted_sum", "missing in the sum", "dans la somme"),
        ("g * p * (1 - p)", "diagonal", "only the case i = j", "seul le cas i = j"),
        ("p * g - p * (p * g).sum(1, True)", "", "", ""),
        ("((torch.diag_embed(p) - p[:, :, None] * p[:, None]) @ g[..., None])[..., 0]", "", "", ""),
    ],
)
def test_what_is_missing_in_the_backward_of_softmax(
    backward: str, key: str, english: str, french: str
) -> None:
    body = f"(p,), g = ctx.saved_tensors, grad_output; return {backward}"
    found = judged("tp3", "softmax", a_class("Softmax", "logits", SOFTMAX, body))
    assert found["en"].right == (not key), found["en"]
    if key:
        refused(found, f"backward.logits.{key}", english, french)


BLOCKS = "ctx.size = size; b = x.unfold(2, size, size).unfold(3, size, size); "
BACK = (
    "s = ctx.size; g = grad_output.repeat_interleave(s, 2).repeat_interleave(s, 3); "
    "return {value}, None"
)


@pytest.mark.parametrize(
    ("value", "mistake", "english", "french"),
    [
        ("g * ctx.mask", "", "", ""),
        ("g", "backward.x.spread", "every entry of a square", "tous les termes d'un carré"),
        ("g / s**2", "backward.x.shared", "as that of a mean", "comme celui d'une moyenne"),
    ],
)
def test_where_the_gradient_of_max_pooling_goes(
    value: str, mistake: str, english: str, french: str
) -> None:
    forward = (
        f"{BLOCKS}o = b.amax((4, 5)); "
        "ctx.mask = x == o.repeat_interleave(size, 2).repeat_interleave(size, 3); return o"
    )
    code = a_class("MaxPool", "x, size", forward, BACK.format(value=value))
    found = judged("tp4", "max_pool", code)
    assert found["en"].mistake == mistake, found["en"]
    if mistake:
        refused(found, mistake, english, french)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("divisor", "right"), [("s**2", True), ("4", False), ("9", False)])
def test_a_constant_divisor_of_a_mean_is_found_at_every_seed(
    divisor: str, right: bool, seed: int
) -> None:
    value = f"g / {divisor}"
    code = a_class("AvgPool", "x, size", f"{BLOCKS}return b.mean((4, 5))", BACK.format(value=value))
    feedback = load("tp4", "en").feedback("avg_pool", written(code)["AvgPool"], seed=seed)
    assert feedback.right == right, feedback
    assert right or feedback.mistake == "backward.x.factor"


ATTENTION = (
    "s = query @ key.mT / query.size(-1) ** 0.5; w = s.masked_fill(~mask, -torch.inf).softmax(-1); "
    "ctx.save_for_backward(query, key, value, w); return w @ value"
)


@pytest.mark.parametrize(
    ("scores", "key", "english", "french"),
    [
        ("w * (d - (d * w).sum(-1, True))", "", "", ""),
        ("w * d", "no_sum", "the sum over the row is missing", "la somme sur la ligne manque"),
        ("d", "no_softmax", "the backward of softmax is missing", "le backward de softmax manque"),
    ],
)
def test_what_is_missing_between_weights_and_scores(
    scores: str, key: str, english: str, french: str
) -> None:
    backward = (
        "query, key, value, w = ctx.saved_tensors; d = grad_output @ value.mT; "
        f"s = ({scores}) / query.size(-1) ** 0.5; "
        "return s @ key, s.mT @ query, w.mT @ grad_output, None"
    )
    code = a_class("Attention", "query, key, value, mask", ATTENTION, backward)
    found = judged("tp5", "attention", code)
    assert found["en"].right == (not key), found["en"]
    if key:
        refused(found, f"backward.query.{key}", english, french)


# whole trainings


def trained(sheet: str) -> tuple[list[torch.Tensor], list[float]]:
    """The parameters and the losses that the solution of the sheet comes to."""
    rehearsal = rehearsed(sheet, "en")
    names = rehearsal.sheet.questions["training"].answers
    *parameters, history = (rehearsal.after["training"][name] for name in names)
    return parameters, [float(one[-1] if isinstance(one, list) else one) for one in history]


@pytest.mark.parametrize("sheet", ["tp3", "tp4", "tp5"])
def test_a_training_in_another_form_is_right(sheet: str) -> None:
    parameters, losses = trained(sheet)
    doubles = [one.double().requires_grad_() for one in parameters]
    feedback = load(sheet).feedback("training", *doubles, torch.tensor(losses), seed=1)
    assert feedback.right, feedback


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("sheet", ["tp3", "tp4", "tp5"])
def test_parameters_and_losses_of_no_training_are_refused(sheet: str, lang: str) -> None:
    parameters, losses = trained(sheet)
    question: Any = load(sheet).questions["training"]
    name, history = question.answers[0], question.answers[-1]
    start, count = question.start()[2], len(losses)
    falling = [losses[0] * (losses[-1] / losses[0]) ** (n / count) for n in range(count)]
    other = [5 * torch.ones_like(p) * torch.linspace(-1, 1, p.shape[-1]) for p in parameters]
    tries = [
        ((*start, losses), f"unchanged.{name}", ("its value of the start", "valeur initiale")),
        ((*parameters, falling), "steps", ("the loss of step", "la perte du pas")),
        ((*other, losses), "parameters", ("with these parameters", "avec ces paramètres")),
        ((*parameters, losses[::-1]), "start", ("the first loss is", "la première perte vaut")),
        ((*parameters, [losses[0]] * count), "end", ("the loss ends at", "la perte finit à")),
        ((*parameters, losses[:-1]), f"count.{history}", ("losses, expected", "pertes, attendu")),
        ((*(p[:1] for p in parameters), losses), f"size.{name}", ("has shape", "est de forme")),
        ((*parameters, "losses"), f"type.{history}", ("no losses", "pas de pertes")),
    ]
    for answers, mistake, words in tries:
        feedback = load(sheet, lang).feedback("training", *answers, seed=1)
        assert feedback.mistake == mistake, feedback
        assert words[LANGUAGES.index(lang)] in feedback.lines[0]
