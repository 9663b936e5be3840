import './console.js';
import { begin } from './stderr.js';
import { describe } from './failure.js';
import { lift, lower } from './values.js';

export { table } from './values.js';

/**
 * Makes the function that the world exports of the author's.
 * @param {Function} run
 * @param {{ params: { name: string, type: any }[], result: any, spread: boolean }} about
 * @param {Map<string, any>} types
 */
export function makeTool(run, { params, result, spread }, types) {
  return async (...sent) => {
    begin();
    try {
      const values = params.map(({ type }, i) => lift(type, sent[i], types));
      const answer = await (spread ? run(together(params, values)) : run(...values));
      return { tag: 'ok', val: result === undefined ? undefined : lower(result, answer, types) };
    } catch (error) {
      throw { payload: describe(error) };
    }
  };
}

function together(params, values) {
  const entries = params.map(({ name }, i) => [name, values[i]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
