import './console.js';
import { begin } from './stderr.js';
import { describe } from './failure.js';
import { parsed } from './provider.js';
import { InvalidArguments } from './errors.js';

/** The interface `workflow` of bailiwick:skill, from the author's function. */
export function makeWorkflow(run) {
  return {
    async run(input) {
      begin();
      try {
        const answer = await run(parsed(input));
        return { tag: 'ok', val: JSON.stringify(answer ?? null) };
      } catch (error) {
        throw {
          payload: { tag: error instanceof InvalidArguments ? 'invalid-input' : 'failed', val: describe(error) },
        };
      }
    },
  };
}
