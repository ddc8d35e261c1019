"""Near-identical copies are found; answers that everybody writes alike are not."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from derivable.labs.grading.copies import Copy, Student
from derivable.labs.grading.similar import Group, Pair, Part, groups_of, similar_pairs
from tests.grading import notebook

GIVEN = """
def load():
    table = fetch()
    x = torch.tensor(table["data"], dtype=torch.float)
    y = torch.tensor(table["target"], dtype=torch.float).view(-1, 1)
    x = (x - x.mean(dim=0)) / x.std(dim=0)
    return x[:100], y[:100], x[100:], y[100:]
"""
LINEAR = """
class Linear(Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w + b
    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w.t(), x.t() @ g, g.sum(0)
"""
OWN = [
    """
def train(x, y, w, b, epochs, eps):
    history = []
    for step in range(epochs):
        ctx, out = Context(), Context()
        loss = MSE.forward(out, Linear.forward(ctx, x, w, b), y)
        history.append((step, float(loss)))
        grad, _ = MSE.backward(out, torch.ones(()))
        _, gw, gb = Linear.backward(ctx, grad)
        w, b = w - eps * gw, b - eps * gb
        if step % 100 == 0:  # shown now and then
            print(f"{step}: {loss}")
    return w, b, history
""",
    """
def train(inputs, target, weights, bias, count, rate):
    losses = [None] * count
    n = 0
    while n < count:
        c1 = Context(); c2 = Context()
        prediction = Linear.forward(c1, inputs, weights, bias)
        value = MSE.forward(c2, prediction, target)
        losses[n] = value.item()
        dy = MSE.backward(c2, torch.tensor(1.0))[0]
        dw, db = Linear.backward(c1, dy)[1:]
        weights -= rate * dw
        bias -= rate * db
        n += 1
    plt.semilogy(losses, label="loss"), plt.legend(), plt.grid(True)
    return weights, bias, losses
""",
    """
class Trainer:
    def __init__(self, rate=1e-3):
        self.rate, self.seen = rate, []
    def step(self, data, w, b):
        x, y = data
        contexts = {name: Context() for name in ("linear", "mse")}
        z = Linear.forward(contexts["linear"], x, w, b)
        self.seen += [MSE.forward(contexts["mse"], z, y).detach().clone()]
        g = MSE.backward(contexts["mse"], torch.tensor(1.0))
        gx, gw, gb = Linear.backward(contexts["linear"], g[0])
        return w.sub(gw, alpha=self.rate), b.sub(gb, alpha=self.rate)
    def run(self, data, w, b, turns):
        for _ in range(turns):
            w, b = self.step(data, w, b)
        return w, b, torch.stack(self.seen)
""",
]
RENAMED = (
    OWN[0]
    .replace("history", "pertes").replace("step", "tour").replace("grad", "derivee")
    .replace("gw", "dw").replace("100", "500").replace("# shown now and then", "")
)  # fmt: skip
OTHER = [
    "a{0} = [n ** {0} for n in range({0}) if n % 2]\nprint(sorted(a{0}, key=abs)[:{0}], sep='')",
    "with open('f{0}') as f:\n    rows = [line.split(',') for line in f if line.strip()]",
    "try:\n    k{0} = max(v{0}.values(), default=None)\nexcept KeyError as e:\n    raise e",
]


def pairs(folder: Path, *copies: str) -> list[Pair]:
    made = []
    for i, content in enumerate(copies):
        path = folder / f"{i}.{'ipynb' if content.startswith('{') else 'py'}"
        path.write_text(content, "utf-8")
        made.append(Copy(Student(str(i)), path))
    return similar_pairs(made, [GIVEN, "class Linear(Function):\n    ..."])


def test_renamed_and_reordered_copies_are_found(tmp_path: Path) -> None:
    first = notebook(GIVEN, LINEAR, OWN[0])
    second = notebook(GIVEN, RENAMED, LINEAR)
    others = [notebook(GIVEN, LINEAR, own) for own in OWN[1:]]
    (pair,) = pairs(tmp_path, first, others[0], second, others[1])
    assert (pair.first, pair.second) == (0, 2)
    assert pair.share > 0.8
    assert {part.cell for part in pair.parts_of_first} == {3}
    assert {part.cell for part in pair.parts_of_second} == {2}


def test_what_everybody_writes_alike_is_nothing(tmp_path: Path) -> None:
    assert pairs(tmp_path, *[GIVEN + LINEAR + OTHER[i % 3].format(i) for i in range(9)]) == []


def test_long_copies_that_are_the_same_are_listed_however_many_they_are(tmp_path: Path) -> None:
    found = pairs(tmp_path, *[LINEAR + "".join(OWN)] * 7, *OTHER)
    assert {(pair.first, pair.second) for pair in found} == set(combinations(range(7), 2))


def test_identical_copies_are_one_group(tmp_path: Path) -> None:
    found = pairs(tmp_path, *[LINEAR + "".join(OWN)] * 5, *OTHER)
    (group,) = groups_of(found)
    assert group.members == (0, 1, 2, 3, 4)
    assert group.least == group.most == pytest.approx(1)
    assert all(group.parts)


def test_groups_are_connected_by_pairs_in_whatever_order_they_come() -> None:
    def pair(first: int, second: int, share: float) -> Pair:
        return Pair(first, second, share, (Part(0, first, first),), (Part(0, second, second),))

    found = [pair(0, 1, 0.9), pair(4, 5, 0.8), pair(2, 3, 0.7), pair(1, 2, 0.6)]
    parts = tuple((Part(0, place, place),) for place in range(6))
    expected = [Group((0, 1, 2, 3), parts[:4], 0.6, 0.9), Group((4, 5), parts[4:], 0.8, 0.8)]
    assert groups_of(found) == expected
    assert groups_of(found[::-1]) == expected
    assert groups_of([]) == []


def test_the_sheets_own_code_is_nothing(tmp_path: Path) -> None:
    assert pairs(tmp_path, GIVEN * 5, GIVEN * 5) == []


def test_short_answers_that_are_the_same_are_not_listed(tmp_path: Path) -> None:
    short = "def square(x):\n    return x * x\n"
    assert pairs(tmp_path, short, short) == []


def test_scripts_and_notebooks_are_compared(tmp_path: Path) -> None:
    (pair,) = pairs(tmp_path, OWN[1], notebook(OWN[1]))
    assert pair.share == pytest.approx(1)
    assert pair.parts_of_first[0].cell == 0


def test_what_is_no_python_is_left_out(tmp_path: Path) -> None:
    unparsable = [
        "{",
        "[" * 10_000,
        "\x00" * 99,
        "def f(:\n" * 50,
        "'''" + OWN[0],
        notebook("%%bash\nls"),
    ]
    assert pairs(tmp_path, *unparsable, OWN[0]) == []
    assert similar_pairs([Copy(Student("nobody"), None)] * 2, []) == []


def test_the_largest_share_is_first(tmp_path: Path) -> None:
    found = pairs(tmp_path, OWN[0] + OWN[1], RENAMED, OWN[1] + OWN[2] + OTHER[0], OWN[2])
    assert [pair.share for pair in found] == sorted((p.share for p in found), reverse=True)
    assert len(found) >= 2
