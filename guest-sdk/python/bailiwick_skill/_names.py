"""Names in Python, in WIT and in the modules that componentize-py makes."""

import re

# Words that WIT reserves; as names they are written with a `%` before them.
WIT_KEYWORDS = frozenset(
    """as async bool borrow char constructor enum error-context export f32 f64 flags from func
    future import include interface list map option own package record resource result s16 s32
    s64 s8 static stream string tuple type u16 u32 u64 u8 use variant with world""".split()
)

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*")


def kebab(name: str) -> str | None:
    """`top_rows` and `TopRows` as `top-rows`; None where WIT has no such name.

    A word of WIT begins with a letter, so `row_2` is `row2`.
    """
    words = _WORD_STARTS.sub("_", name).lower().replace("-", "_").split("_")
    made = "-".join(word for word in words if word)
    made = re.sub(r"-(?=[0-9])", "", made)
    return made if _KEBAB.fullmatch(made) else None


def wit(name: str) -> str:
    """A name as it is written in WIT text."""
    return f"%{name}" if name in WIT_KEYWORDS else name


def camel(name: str) -> str:
    """The class that componentize-py makes for a type: `top-rows` is `TopRows`."""
    return "".join(word.capitalize() for word in name.split("-"))
