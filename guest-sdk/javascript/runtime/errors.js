/** A failure that the tool foresees: the caller reads the message as it stands. */
export class ToolError extends Error {
  get name() {
    return 'ToolError';
  }
}

/** The arguments don't fit: for tools that are listed at run time, prompts and workflows. */
export class InvalidArguments extends ToolError {
  get name() {
    return 'InvalidArguments';
  }
}

/** There is no tool, prompt or resource of that name. */
export class NotFound extends ToolError {
  get name() {
    return 'NotFound';
  }
}
