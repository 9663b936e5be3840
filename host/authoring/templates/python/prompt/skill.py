"""Prompts for reviewing a text."""

from bailiwick_skill import prompt


@prompt
def review(text: str, audience: str | None = None, focus: str | None = None) -> str:
    """Begins a review of a text.

    Args:
        text: The text to review.
        audience: Who reads it, such as `new customers`.
        focus: What matters most, such as `brevity`.
    """
    task = "Review the text below."
    if audience:
        task += f" It is read by {audience}: say what they would not understand."
    if focus:
        task += f" What matters most is {focus}."
    task += " Quote each passage that you would change, and give your words for it."
    return f"{task}\n\n---\n\n{text}"


@prompt
def compare(before: str, after: str) -> str:
    """Begins a comparison of two versions of a text.

    Args:
        before: The older version.
        after: The newer version.
    """
    return (
        "Compare the two versions of a text below. List what changed in meaning first, then what only reads "
        f"differently, and say which version you would keep.\n\n--- before\n\n{before}\n\n--- after\n\n{after}"
    )
