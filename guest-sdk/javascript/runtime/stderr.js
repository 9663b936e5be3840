// Writes to the call's log, which the host keeps. The engine's own console would import
// files and terminals for it.

import { getStderr } from 'wasi:cli/stderr@0.2.0';

/** The interface takes at most this many bytes at once. */
const PIECE = 4096;

let calls = 0;

/** Says that the host of a call is there: before, while the skill is built, it is not. */
export function begin() {
  calls += 1;
}

const built = globalThis.console;

export function writeLine(text) {
  if (calls === 0) {
    built.error(text);
    return;
  }
  const bytes = new TextEncoder().encode(`${text}\n`);
  try {
    const stream = getStderr();
    for (let at = 0; at < bytes.length; at += PIECE) stream.blockingWriteAndFlush(bytes.slice(at, at + PIECE));
  } catch {
    // The log is full, which must not change what the tool answers.
  }
}
