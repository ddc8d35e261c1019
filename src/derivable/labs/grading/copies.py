"""The copies of a class by student, from a folder, a ZIP or one file."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from derivable.errors import DataError
from derivable.labs.grading.limits import LARGEST, MB
from derivable.labs.grading.naming import defines
from derivable.labs.grading.unpacking import is_ignored, unpack
from derivable.labs.refusals import refusal

SUFFIXES = (".ipynb", ".py", ".ipynb.txt", ".ipynb.json", ".py.txt")
BROUGHT, BROUGHT_FILES = 64 * MB, 500  # of a student's further files that the copy may read
INNER, INNER_FILES = 256 * MB, 2_000  # of a ZIP that a student has handed in
_MOODLE = re.compile(r"^(?P<name>.+)_(?P<number>\d+)_assignsubmission_[a-z]+_?")


@dataclass(frozen=True)
class Student:
    """A student.

    name    as Moodle, the folder or the file says
    number  Moodle's participant; empty outside of Moodle
    """

    name: str
    number: str = ""


@dataclass(frozen=True)
class Copy:
    """The submission of a student.

    path    the file that is graded; None where there is none that can be
    folder  the student's files, which the copy may read; None for a file that stands alone
    others  names of the other files that could have been graded
    broken  names of ZIP files that cannot be unpacked
    """

    student: Student
    path: Path | None
    folder: Path | None = None
    others: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The file's name below the student's folder; empty where there is none."""
        if self.path is None:
            return ""
        if self.folder is None:
            return _readable(_MOODLE.sub("", self.path.name) or self.path.name)
        return _readable(self.path.relative_to(self.folder).as_posix())

    @property
    def files(self) -> list[Path]:
        """The student's files, without links; the copy's own is among them."""
        if self.folder is not None:
            return _files(self.folder)
        return [] if self.path is None else [self.path]

    def bring(self, to: Path) -> Path:
        """Copy the student's files below `to`, and return where the copy's own file is then."""
        assert self.path is not None
        target = to / self.file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.path, target)
        size, count = 0, 0
        for file in self.files if self.folder else ():
            size, count = size + file.stat().st_size, count + 1
            if size > BROUGHT or count > BROUGHT_FILES:
                break
            beside = to / file.relative_to(self.folder or file.parent)
            if not beside.exists():
                beside.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, beside)
        return target


@dataclass
class _Submission:
    """The files of one student, while they are found."""

    folder: Path | None
    candidates: list[Path] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


@contextmanager
def copies_in(
    source: Path, answers: Sequence[str], out: Path | None = None
) -> Iterator[list[Copy]]:
    """The copies in a folder, a ZIP or one file, in the order of the students' names.

    answers  the names that a copy of the sheet defines: of several files of a student, the one in
             which most of them are is graded
    out      a folder beside the copies that belongs to no student: where marks are written

    What a ZIP holds is unpacked into a temporary folder, which is removed with the block. Raises
    DataError where there is nothing to grade.
    """
    if not source.exists():
        raise DataError(refusal("no_source", source=source))
    with tempfile.TemporaryDirectory(prefix="derivable-copies-", ignore_cleanup_errors=True) as new:
        found = _students(source, Path(new), out)
        copies = [_copy(student, submission, answers) for student, submission in found.items()]
        if not copies:
            raise DataError(refusal("no_copies", source=source))
        yield sorted(copies, key=lambda one: (_folded(one.student.name), one.student.number))


def _students(source: Path, new: Path, out: Path | None) -> dict[Student, _Submission]:
    """Who handed in which files."""
    if source.is_dir():
        root = _below_single_folder(source) if not any(_loose(source)) else source
    elif source.suffix.lower() == ".zip":
        root = new / "copies"
        root.mkdir()
        unpack(source, root)
        root = _below_single_folder(root)
    elif _is_candidate(source):
        return {Student(_stem(source.name)): _Submission(None, [source])}
    else:
        raise DataError(refusal("no_copy", source=source))
    found: dict[Student, _Submission] = {}
    for entry in sorted(root.iterdir()):
        if entry.is_symlink() or is_ignored(entry.name) or _is_same(entry, out):
            continue
        student, submission = _entry(entry, new / "inner" / str(len(found)))
        if student is not None:
            known = found.setdefault(student, _Submission(submission.folder))
            known.candidates += submission.candidates
            known.broken += submission.broken
    return found


def _entry(entry: Path, new: Path) -> tuple[Student | None, _Submission]:
    """Whose a file or folder is, and what can be graded of it; None for what is no copy."""
    moodle = _MOODLE.match(entry.name)
    if entry.is_dir():
        student = _of_moodle(moodle) if moodle else Student(_readable(entry.name))
        submission = _Submission(entry, [f for f in _files(entry) if _is_candidate(f)])
        archives = [f for f in _files(entry) if f.suffix.lower() == ".zip"]
    else:
        student = _of_moodle(moodle) if moodle else Student(_stem(entry.name))
        submission = _Submission(None, [entry] if _is_candidate(entry) else [])
        archives = [entry] if entry.suffix.lower() == ".zip" else []
        if not moodle and not submission.candidates and not archives:
            return None, submission
    for i, archive in enumerate(archives):
        into = new / str(i)
        try:
            unpack(archive, into, INNER_FILES, INNER)
        except DataError:
            shutil.rmtree(into, ignore_errors=True)  # what had come out of it before
            submission.broken.append(_readable(archive.name))
            continue
        inner = [f for f in _files(into) if _is_candidate(f)]
        if inner and not submission.candidates:
            submission.folder = into
        submission.candidates += inner
    return student, submission


def _copy(student: Student, submission: _Submission, answers: Sequence[str]) -> Copy:
    """The file that fits best is graded."""
    chosen = max(submission.candidates, key=lambda file: _fit(file, answers), default=None)
    folder = submission.folder
    if chosen is not None and folder is not None and not chosen.is_relative_to(folder):
        folder = chosen.parent
    others = tuple(sorted(_readable(file.name) for file in submission.candidates if file != chosen))
    return Copy(student, chosen, folder, others, tuple(submission.broken))


def _fit(file: Path, answers: Sequence[str]) -> tuple[int, bool, int, str]:
    """How much of the sheet is in a file; at a tie a notebook, then the larger one, is first."""
    size = file.stat().st_size
    text = file.read_bytes().decode("utf-8", "replace") if size <= LARGEST else ""
    there = sum(defines(text, name) for name in answers)
    return there, is_notebook(file), size, file.name


def _of_moodle(match: re.Match[str]) -> Student:
    return Student(" ".join(_readable(match["name"]).split()), match["number"])


def _below_single_folder(root: Path) -> Path:
    """The folder in which the copies are, where all are in one that belongs to no student."""
    inside = [e for e in root.iterdir() if not is_ignored(e.name)]
    if len(inside) == 1 and inside[0].is_dir() and not _MOODLE.match(inside[0].name):
        return inside[0]
    return root


def _loose(folder: Path) -> Iterator[Path]:
    """The entries of the only folder of a folder, whose files belong to one student."""
    inside = [e for e in folder.iterdir() if not is_ignored(e.name)]
    if len(inside) == 1 and inside[0].is_dir():
        yield from (
            e for e in inside[0].iterdir() if _is_candidate(e) and not _MOODLE.match(e.name)
        )


def _files(folder: Path) -> list[Path]:
    """The files below a folder that students handed in, without links."""
    found: list[Path] = []
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        if entry.is_symlink() or is_ignored(entry.name):
            continue
        found += _files(entry) if entry.is_dir() else [entry] if entry.is_file() else []
    return found


def _is_candidate(file: Path) -> bool:
    return file.is_file() and file.name.lower().endswith(SUFFIXES)


def is_notebook(file: Path) -> bool:
    """Whether a copy is a notebook, by its name; else it is a script."""
    return ".ipynb" in file.name.lower()


def _is_same(entry: Path, out: Path | None) -> bool:
    return out is not None and out.exists() and entry.samefile(out)


def _stem(name: str) -> str:
    """A file's name without its suffix: that of `marie.curie.ipynb` is `marie.curie`."""
    stem = name.lower().removesuffix(".zip")
    known = [len(suffix) for suffix in SUFFIXES if stem.endswith(suffix)]
    return _readable(name[: len(stem) - max(known, default=0)] or name)


def _readable(name: str) -> str:
    """A name of the system as text: bytes that are no UTF-8 are those of an older ZIP program."""
    raw = os.fsencode(name)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _folded(name: str) -> str:
    """A name for sorting, in which accents and capitals do not count."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()
