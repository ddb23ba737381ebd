"""The nearest right form of a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_CLOSE = 0.72


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give ` Did you mean `x`?`, or nothing when nothing is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=_CLOSE)
    return f" Did you mean `{near[0]}`?" if near else ""
