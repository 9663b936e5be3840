// What becomes of what an author's function throws.

import { writeLine } from './stderr.js';
import { ToolError } from './errors.js';
import { sourceLine } from 'bailiwick:lines';

/**
 * The text of a failure, for the caller. The stack of what nobody expected goes to the
 * call's log; a `ToolError` was thrown to be read by the caller, and says it all.
 */
export function describe(error) {
  if (error instanceof ToolError) return error.message;
  writeLine(report(error));
  return summary(error);
}

function summary(error) {
  if (error instanceof Error) return detail(error) ?? (error.message ? `${error.name}: ${error.message}` : error.name);
  return `thrown: ${typeof error === 'object' ? json(error) : String(error)}`;
}

/** The host's interfaces throw their own values, wrapped. */
function detail(error) {
  if (!Object.prototype.hasOwnProperty.call(error, 'payload')) return undefined;
  return typeof error.payload === 'string' ? error.payload : json(error.payload);
}

function json(value) {
  try {
    return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value);
  } catch {
    return String(value);
  }
}

function report(error) {
  const lines = [summary(error)];
  if (error instanceof Error) {
    lines.push(...frames(error.stack ?? ''));
    if (error.cause !== undefined) lines.push(`caused by ${report(error.cause)}`);
  }
  return lines.join('\n');
}

/** A stack that goes round is as clear after this many frames. */
const MAX_FRAMES = 30;

/** The author's part of a stack, with lines of the author's files. */
function frames(stack) {
  const out = [];
  for (const line of stack.split('\n')) {
    if (out.length === MAX_FRAMES) return [...out, '    and so on'];
    const [, name, row] = /^(.*)@(?:.*\/)?skill\.js:(\d+):\d+$/.exec(line) ?? [];
    const place = row && sourceLine(Number(row));
    if (place) out.push(`    at ${name || '(top)'} (${place})`);
  }
  return out;
}
