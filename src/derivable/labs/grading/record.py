"""`Results`: what copies came to, in one JSON file for each, whole or not there."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import derivable
from derivable.files import remove_parts, write_whole
from derivable.labs.grading.copies import Copy
from derivable.labs.grading.incidents import Incident
from derivable.labs.grading.job import feedback_of_json, feedback_to_json
from derivable.labs.grading.runner import Outcome, Runner
from derivable.run.lock import Lock

LABS = Path(__file__).parents[1]
# What changes neither feedback nor incidents, in derivable.labs and in its package for grading.
_LATER = frozenset(
    {"class_page", "copy_page", "driver", "drawing", "marked", "moodle", "page", "record", "scale",
     "refusals", "similar"}
)  # fmt: skip


@dataclass(frozen=True)
class Key:
    """What a result belongs to.

    digest  of the copy and of all that its result depends on
    seed    of the checks, from the bytes of the copy alone: the same copy gets the same sizes and
            numbers
    """

    digest: str
    seed: int


@dataclass(frozen=True)
class Results:
    """The results of one sheet in a folder; those of another sheet or version are not found.

    A result belongs to the bytes of the copy and of the student's other files, the sources of the
    sheet and of its checks, the versions of derivable and PyTorch, the language and the limits.
    """

    folder: Path
    runner: Runner
    source: str  # of the sheet's file

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, the folder is there, and no other process grades into it.

        What an interrupted grading has left half written is removed. Raises FileError where another
        process grades.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = Lock(self.folder)
        try:
            remove_parts(self.folder)
            yield
        finally:
            lock.release()

    def key(self, copy: Copy) -> Key:
        """What a copy's result depends on, and the seed of its checks."""
        made = hashlib.sha256()
        for file in copy.files:
            name = file.relative_to(copy.folder).as_posix() if copy.folder else file.name
            made.update(f"{name}\0{file.stat().st_size}\0".encode("utf-8", "surrogateescape"))
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    made.update(block)
        made.update(repr((copy.file, copy.others, copy.broken)).encode())
        both = hashlib.sha256(f"{self._common}{made.hexdigest()}".encode()).hexdigest()
        alone = hashlib.sha256(copy.path.read_bytes() if copy.path else b"")
        return Key(both, int.from_bytes(alone.digest()[:4], "big"))

    def load(self, copy: Copy, key: Key) -> Outcome | None:
        """The result that is kept for this copy, or None."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            values = json.loads(self.file(copy).read_text("utf-8"))
            if values["digest"] != key.digest:
                return None
            feedback = [feedback_of_json(one) for one in values["feedback"]]
            incidents = tuple(Incident.of_json(one) for one in values["incidents"])
            found = {one.question: one for one in feedback}
            if list(found) == list(self.runner.questions):
                return Outcome(found, incidents)
        return None

    def save(self, copy: Copy, key: Key, outcome: Outcome) -> None:
        """Keep a result."""
        values = {
            "student": asdict(copy.student),
            "file": copy.file,
            "digest": key.digest,
            "feedback": [feedback_to_json(one) for one in outcome.feedback.values()],
            "incidents": [one.to_json() for one in outcome.incidents],
        }
        write_whole(self.file(copy), json.dumps(values, ensure_ascii=False, indent=1), sync=False)

    def file(self, copy: Copy) -> Path:
        """Where the result of a copy is kept."""
        return self.folder / f"{file_name(copy)}.json"

    @cached_property
    def _common(self) -> str:
        """A digest of what all copies share."""
        made = hashlib.sha256(self.source.encode())
        for file in sorted([*LABS.rglob("*.py"), *LABS.rglob("*.json")]):
            if file.stem not in _LATER and file.parent.name != "sheets":
                made.update(f"{file.relative_to(LABS).as_posix()}\0".encode())
                made.update(file.read_bytes())
        made.update(repr(sorted(asdict(self.runner.limits).items())).encode())
        made.update(repr((self.runner.lang, tuple(self.runner.questions))).encode())
        versions = (derivable.__version__, importlib.metadata.version("torch"))
        made.update(repr(versions).encode())
        return made.hexdigest()


def file_name(copy: Copy) -> str:
    """A name for the files of a copy: readable, of plain letters, and of this student alone."""
    student = copy.student
    plain = re.sub(r"[^A-Za-z0-9]+", "-", _without_accents(student.name)).strip("-")[:40]
    own = hashlib.sha256(f"{student.name}\0{student.number}".encode()).hexdigest()[:8]
    return "_".join(filter(None, [plain, student.number, own]))


def _without_accents(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
