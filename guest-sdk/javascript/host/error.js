/** What a host's interface refused or could not do; `kind` is its case in WIT. */
export class HostError extends Error {
  constructor(kind, message, detail) {
    super(message);
    this.kind = kind;
    this.detail = detail;
  }

  get name() {
    return 'HostError';
  }
}

/** Calls a function of the host; what it throws is a `HostError` that says what was tried. */
export function asking(what, call) {
  try {
    return call();
  } catch (error) {
    throw Object.prototype.hasOwnProperty.call(error, 'payload') ? hostError(what, error.payload) : error;
  }
}

export function hostError(what, { tag, val }) {
  const reason = val === undefined ? tag : `${tag}: ${val}`;
  return new HostError(tag, `${what}: ${reason}`, val);
}
