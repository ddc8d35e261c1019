"""The messages of the package: one mechanism, both languages, nothing beside the catalogues."""

from __future__ import annotations

import copy
import importlib
import pickle
from concurrent.futures import ThreadPoolExecutor
from string import Formatter

import pytest

from derivable.errors import DataError
from derivable.language import LANGUAGES, speaking
from derivable.messages import Catalogue, Message, Text, in_language, joined, packed, unpacked
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "derivable"


def catalogues() -> dict[str, Catalogue]:
    """Every catalogue of the package, by where it is defined."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if " Catalogue(" not in path.read_text(encoding="utf-8"):
            continue
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        module = importlib.import_module(name)
        for attribute, value in vars(module).items():
            if isinstance(value, Catalogue):
                found[f"{name}.{attribute}"] = value
    return found


CATALOGUES = catalogues()


# The mechanism.

NUMBERS = Catalogue(
    {
        "rows": (
            "{n:,} rows of {name!r}: {share:g}, lr={lr!r}",
            "{n:,} lignes de {name!r} : {share:g}, lr={lr!r}",
        ),
        "rows_one": ("one row", "une ligne"),
        "quoted": ("“{text}”; {names}", "« {text} » ; {names}"),
    }
)
GAPS = {"name": "a", "share": 0.25, "lr": 0.5}


def test_a_message_is_a_string_in_the_language_of_messages_and_knows_the_other() -> None:
    message = NUMBERS("rows", n=2000, **GAPS)
    assert message == "2,000 rows of 'a': 0.25, lr=0.5"
    french = "2\u202f000 lignes de 'a'\u00a0: 0,25, lr=0.5"
    assert message.to("fr") == french
    with speaking("fr"):
        assert NUMBERS("rows", n=2000, **GAPS) == french
        assert message.to() == french
        assert in_language(message) == french
    assert in_language("any text", "fr") == "any text"


def test_one_has_a_singular_of_its_own() -> None:
    assert NUMBERS("rows", n=1, **GAPS) == "one row"
    assert NUMBERS.text("rows", "fr", n="1", **GAPS) == "une ligne"


def test_messages_in_gaps_and_in_lists_are_in_the_same_language() -> None:
    inner = NUMBERS("rows", n=1, **GAPS)
    message = NUMBERS("quoted", text=inner, names=[inner, "b", 3])
    assert message == "“one row”; one row, b, 3"
    assert message.to("fr") == "«\u00a0une ligne\u00a0»\u00a0; une ligne, b, 3"
    assert joined([inner, "b"], ", ").to("fr") == "une ligne, b"


def test_messages_are_pickled_copied_and_kept_with_both_texts() -> None:
    message = NUMBERS("rows", n=1, **GAPS)
    for other in (pickle.loads(pickle.dumps(message)), copy.deepcopy(message)):
        assert isinstance(other, Message)
        assert other.texts == message.texts == Text("one row", "une ligne")
    kept = unpacked(packed(message))
    assert isinstance(kept, Message)
    assert kept.texts == message.texts
    assert unpacked(packed("any text")) == "any text"
    error = pickle.loads(pickle.dumps(DataError(message)))
    assert isinstance(error, DataError)
    assert str(error) == "one row"


def test_each_thread_has_its_own_language() -> None:
    def say(lang: str) -> str:
        with speaking(lang):
            return str(NUMBERS("rows", n=1, **GAPS))

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(say, LANGUAGES * 20))
    assert said == ["one row", "une ligne"] * 20


def test_a_message_can_be_made_in_a_language_that_there_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DERIVABLE_LANG", "de")  # commands report it; modules must load
    assert NUMBERS("rows", n=1, **GAPS) == "one row"


# The catalogues.


def gaps(template: str) -> list[str]:
    return sorted({name for _, name, _, _ in Formatter().parse(template) if name is not None})


@pytest.mark.parametrize("name", CATALOGUES)
def test_both_languages_have_the_same_gaps(name: str) -> None:
    for key, text in CATALOGUES[name].items():
        assert gaps(text.en) == gaps(text.fr), key
        assert len(text.en) < 30 or text.en != text.fr, f"{key} is not translated"
