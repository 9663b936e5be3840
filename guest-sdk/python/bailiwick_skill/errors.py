"""What goes wrong: when a skill is built, and when a tool fails."""


class ToolError(Exception):
    """The tool's own failure, with a message for whoever called it."""


class InvalidArguments(ToolError):
    """The arguments of a prompt, a workflow or a tool listed at run time don't fit."""


class NotFound(ToolError):
    """There is no such prompt, resource or tool listed at run time."""


class BuildError(Exception):
    """Why a skill can't be built: where in the author's files, and what to do."""

    def __init__(self, message: str, file: str | None = None, line: int | None = None):
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part)
        return f"{place}: {self.message}" if place else self.message
