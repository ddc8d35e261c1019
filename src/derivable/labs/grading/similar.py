"""Pairs of copies that share much code that is rare in the class, for review.

Code becomes tokens without comments: names of the copy's own, numbers and strings are each one
token, so that renamed variables and other constants change nothing. Every run of K tokens is
hashed, and of each window of W hashes the smallest is kept (winnowing: Schleimer, Wilkerson and
Aiken, SIGMOD 2003), so the order of cells does not matter. A fragment that the sheet gives, or
that many copies have, counts nothing; one that two copies share and no other has counts most.
Long copies of which nearly everything is the same are listed however many there are.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import keyword
import math
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations, islice

from derivable.errors import DerivableError
from derivable.examiner.capture.sources import cell_texts, decoded
from derivable.labs.grading.copies import Copy, is_notebook
from derivable.labs.grading.limits import LARGEST

K, W = 16, 4  # tokens in a fragment; fragments of which one is kept
COMMON = 0.15  # of the class: a fragment that more copies have counts nothing
FEWEST = 2  # copies that may have a fragment in a small class
LEAST_SHARE, LEAST_FRAGMENTS = 0.4, 20  # of a pair that is listed
SAME_SHARE, SAME_FRAGMENTS = 0.95, 80  # of a pair that is listed however many others are the same
MOST_PARTS, MOST_TOKENS = 4, 50_000  # of a pair; of a copy
_KNOWN = {*keyword.kwlist, *dir(builtins), "torch", "np", "numpy", "plt", "self", "ctx"}


@dataclass(frozen=True)
class Part:
    """Lines of one copy: those of a cell, 0 in a script."""

    cell: int
    first: int
    last: int


@dataclass(frozen=True)
class Pair:
    """Two copies with much in common.

    first, second    their places in the class
    share            of what is their own and rare, as much as both have; from 0 to 1
    parts_of_first   where that is, in the first copy
    parts_of_second  and in the second
    """

    first: int
    second: int
    share: float
    parts_of_first: tuple[Part, ...]
    parts_of_second: tuple[Part, ...]


@dataclass(frozen=True)
class Group:
    """Copies that pairs with much in common connect, in the order of the class.

    members      their places in the class
    parts        of each member, those of its pair with the largest share
    least, most  the smallest and the largest share of those pairs
    """

    members: tuple[int, ...]
    parts: tuple[tuple[Part, ...], ...]
    least: float
    most: float


@dataclass(frozen=True)
class _Token:
    text: str
    cell: int
    line: int


Prints = dict[int, list[tuple[int, int, int]]]  # a hash -> cell, first and last line of each


def similar_pairs(copies: Sequence[Copy], given: Iterable[str]) -> list[Pair]:
    """The pairs of a class with much in common, the largest share first."""
    prints = [_fingerprints(_tokens_of(copy)) for copy in copies]
    ours = set(_every_fragment((code, 0) for code in given))
    counts = Counter(h for one in prints for h in one if h not in ours)
    most = max(FEWEST, int(COMMON * len(copies)))
    weights = {h: math.log(1 + len(copies) / n) for h, n in counts.items() if n <= most}
    own = [{h for h in one if h not in ours} for one in prints]
    found = []
    for a, b in combinations(range(len(copies)), 2):
        rare, whole = _rare_share(own[a], own[b], weights), _whole_share(own[a], own[b])
        if max(rare, whole) >= LEAST_SHARE:
            both = own[a] & own[b] if whole > rare else own[a] & own[b] & weights.keys()
            parts = [_parts(prints[i], both) for i in (a, b)]
            found.append(Pair(a, b, max(rare, whole), parts[0], parts[1]))
    return sorted(found, key=lambda pair: (-pair.share, pair.first, pair.second))


def groups_of(pairs: Sequence[Pair]) -> list[Group]:
    """The connected groups of pairs, the largest share first, then the largest group."""
    group_of: dict[int, list[Pair]] = {}
    for pair in pairs:
        first = group_of.setdefault(pair.first, [])
        second = group_of.setdefault(pair.second, [])
        first.append(pair)
        if second is not first:
            first += second
            ours = {place for one in first for place in (one.first, one.second)}
            group_of.update(dict.fromkeys(ours, first))
    whole = {id(one): one for one in group_of.values()}.values()
    return sorted(map(_group, whole), key=lambda g: (-g.most, -len(g.members), g.members))


def _group(pairs: Sequence[Pair]) -> Group:
    parts: dict[int, tuple[Part, ...]] = {}
    for pair in sorted(pairs, key=lambda pair: -pair.share):
        parts.setdefault(pair.first, pair.parts_of_first)
        parts.setdefault(pair.second, pair.parts_of_second)
    members, shares = tuple(sorted(parts)), [pair.share for pair in pairs]
    return Group(members, tuple(parts[place] for place in members), min(shares), max(shares))


def _rare_share(a: set[int], b: set[int], weights: dict[int, float]) -> float:
    """The weight of the rare fragments of both, relative to the copy with less; 0 for few."""
    both = [h for h in a & b if h in weights]
    smaller = min(sum(weights.get(h, 0.0) for h in one) for one in (a, b))
    if len(both) < LEAST_FRAGMENTS or not smaller:
        return 0.0
    return min(1.0, sum(weights[h] for h in both) / smaller)


def _whole_share(a: set[int], b: set[int]) -> float:
    """The number of the fragments of both, relative to the longer copy; 0 unless nearly all are."""
    longer = max(len(a), len(b))
    share = len(a & b) / longer if longer else 0.0
    return share if longer >= SAME_FRAGMENTS and share >= SAME_SHARE else 0.0


def _tokens_of(copy: Copy) -> list[list[_Token]]:
    """The first MOST_TOKENS tokens, by cell; none where a copy cannot be read.

    Nothing is parsed: the code of a copy could end the process that does so.
    """
    if copy.path is None or copy.path.stat().st_size > LARGEST:
        return []
    try:
        if is_notebook(copy.path):
            texts = list(enumerate(cell_texts(copy.path), 1))
        else:
            texts = [(0, decoded(copy.path).text)]
    except (DerivableError, OSError, RecursionError, ValueError, TypeError):
        return []
    found, left = [], MOST_TOKENS
    for cell, text in texts:
        found.append(list(islice(_tokens(text, cell), left)))
        left -= len(found[-1])
    return found


def _tokens(code: str, cell: int) -> Iterator[_Token]:
    """The tokens of code, as far as it is Python."""
    before = ""
    with suppress(tokenize.TokenError, SyntaxError, ValueError):
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            text = _normalised(token, before)
            if text:
                yield _Token(text, cell, token.start[0])
                before = token.string


def _normalised(token: tokenize.TokenInfo, before: str) -> str:
    """A token without what can be renamed; empty for comments and empty lines."""
    if token.type in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENCODING):
        return ""
    if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
        return ""
    if token.type == tokenize.NUMBER:
        return "0"
    if token.type == tokenize.STRING:
        return "''"
    if token.type == tokenize.NAME and token.string not in _KNOWN and before != ".":
        return "v"
    return token.string


def _every_fragment(code: Iterable[tuple[str, int]]) -> Iterator[int]:
    """The hashes of all runs of K tokens."""
    for text, cell in code:
        yield from (h for h, _ in _hashes(list(_tokens(text, cell))))


def _hashes(tokens: Sequence[_Token]) -> list[tuple[int, int]]:
    """The hash of each run of K tokens, and where it begins."""
    return [
        (_hash("\0".join(token.text for token in tokens[i : i + K])), i)
        for i in range(len(tokens) - K + 1)
    ]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _fingerprints(blocks: Sequence[Sequence[_Token]]) -> Prints:
    """Of each window of W hashes the smallest, with its lines."""
    kept: Prints = {}
    for tokens in blocks:
        hashes = _hashes(tokens)
        chosen = {min(hashes[i : i + W]) for i in range(max(1, len(hashes) - W + 1)) if hashes}
        for value, start in chosen:
            place = (tokens[start].cell, tokens[start].line, tokens[start + K - 1].line)
            kept.setdefault(value, []).append(place)
    return kept


def _parts(prints: Prints, hashes: Iterable[int]) -> tuple[Part, ...]:
    """The lines of fragments, those that meet put together, the longest first."""
    places = sorted(place for h in hashes for place in prints[h])
    merged: list[list[int]] = []
    for cell, first, last in places:
        if merged and merged[-1][0] == cell and first <= merged[-1][2] + 1:
            merged[-1][2] = max(merged[-1][2], last)
        else:
            merged.append([cell, first, last])
    longest = sorted(merged, key=lambda m: m[1] - m[2])[:MOST_PARTS]
    return tuple(Part(*one) for one in sorted(longest))
