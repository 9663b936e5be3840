import './console.js';
import { begin } from './stderr.js';
import { describe } from './failure.js';
import { InvalidArguments, NotFound } from './errors.js';

/** The interface `tools` of bailiwick:skill, from an author's provider. */
export function makeProvider(provider) {
  return {
    async list() {
      begin();
      try {
        return { tag: 'ok', val: (await provider.list()).map(toolOf) };
      } catch (error) {
        throw { payload: describe(error) };
      }
    },
    async call(name, text) {
      begin();
      try {
        const answer = await provider.call(name, parsed(text));
        return { tag: 'ok', val: JSON.stringify(answer ?? null) };
      } catch (error) {
        throw { payload: failure(error, 'invalid-arguments') };
      }
    },
  };
}

/** The arguments of a call, which the host has checked to be an object. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArguments(`the arguments are not JSON: ${error.message}`);
  }
}

function toolOf({ name, description, inputSchema, outputSchema }) {
  if (typeof name !== 'string' || typeof inputSchema !== 'object') {
    throw new TypeError(`the tool ${JSON.stringify(name)} needs a name and an inputSchema`);
  }
  return {
    name,
    description,
    inputSchema: JSON.stringify(inputSchema),
    outputSchema: outputSchema === undefined ? undefined : JSON.stringify(outputSchema),
  };
}

/** A failure as the interfaces of bailiwick:skill have it: with its case. */
export function failure(error, invalid) {
  const val = describe(error);
  if (error instanceof NotFound) return { tag: 'not-found', val };
  if (error instanceof InvalidArguments) return { tag: invalid, val };
  return { tag: 'failed', val };
}
