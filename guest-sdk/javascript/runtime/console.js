// The console of a skill: everything goes to the call's log.

import { writeLine } from './stderr.js';

const say = (...values) => writeLine(values.map(show).join(' '));

function show(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.stack ? `${value.name}: ${value.message}\n${value.stack}` : String(value);
  if (typeof value === 'function') return `[function ${value.name || 'anonymous'}]`;
  try {
    return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value);
  } catch {
    return String(value);
  }
}

globalThis.console = {
  log: say,
  info: say,
  debug: say,
  warn: say,
  error: say,
  trace: (...values) => say(...values, new Error('trace')),
  assert: (right, ...values) => right || say('Assertion failed:', ...values),
};
