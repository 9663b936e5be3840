"""A web page of a document in Markdown: a workflow that has another skill read it."""

from dataclasses import dataclass
from html import escape
from typing import Any

from bailiwick_skill import U32, log, progress, skills, workflow

MARKDOWN = "bailiwick/markdown"


# A build writes the schemas of these two to `.build/schemas`. Callers read the copies in
# `schemas`, which the manifest names.
@dataclass
class Input:
    """What the workflow takes."""

    markdown: str
    """The document."""
    title: str | None = None
    """The title of the page; the first heading where it is left out."""


@dataclass
class Page:
    """What it gives."""

    html: str
    """The page."""
    headings: U32
    """How many headings it has."""


@workflow
def run(given: Input) -> Page:
    """Makes a web page of a document in Markdown, with a table of contents before it."""
    progress.report(0, 2, "reading the document")
    headings, body = _read(given.markdown) if given.markdown.strip() else ([], "")
    log.info(f"{len(headings)} headings")

    progress.report(1, 2, "writing the page")
    title = given.title or (headings[0]["text"] if headings else "")
    contents = "".join(map(_entry, headings))
    html = f'<!doctype html>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n<nav>\n{contents}</nav>\n{body}'
    return Page(html, len(headings))


def _read(markdown: str) -> tuple[list[dict[str, Any]], str]:
    """The headings of a document, and its HTML."""
    # Both calls are made side by side.
    answers = skills.call_all(
        [
            skills.Request(MARKDOWN, "outline", {"markdown": markdown}),
            skills.Request(MARKDOWN, "to-html", {"markdown": markdown, "heading-ids": True}),
        ]
    )
    for answer in answers:
        if isinstance(answer, skills.CallError):
            # It says which call failed and why, and ends the run.
            raise answer
    headings, html = answers
    return headings, html


def _entry(heading: dict[str, Any]) -> str:
    indent = "  " * heading["level"]
    return f'{indent}<a href="#{escape(heading["anchor"])}">{escape(heading["text"])}</a><br>\n'
