"""Measures texts."""

import re
from collections import Counter
from dataclasses import dataclass

from bailiwick_skill import U32, ToolError, tool


@dataclass
class Size:
    """The size of a text."""

    lines: U32
    words: U32
    """Runs of letters and digits."""
    characters: U32


@dataclass
class Frequency:
    """A word, and how often it is there."""

    word: str
    """In lower case."""
    times: U32


@tool
def count(text: str) -> Size:
    """Counts the lines, words and characters of a text."""
    return Size(len(text.splitlines()), len(_words(text)), len(text))


@tool
def frequent(text: str, most: U32 = 10) -> list[Frequency]:
    """Lists the most frequent words of a text, the most frequent first, and words that
    are as frequent by the alphabet.

    Args:
        text: The text.
        most: How many at most, from 1 to 1000; 10 where it is left out.
    """
    if not 1 <= most <= 1000:
        # An error is the tool's own answer, and says what would be right.
        raise ToolError(f"`most` is {most}, expected 1 to 1000")
    counts = Counter(word.lower() for word in _words(text))
    first = sorted(counts.items(), key=lambda found: (-found[1], found[0]))[:most]
    return [Frequency(word, times) for word, times in first]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)
