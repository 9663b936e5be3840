// Calls the component of tests/wit/everything.js.

import assert from 'node:assert/strict';
import { tools } from './skill.js';

const everything = {
  text: 'hé',
  numbers: [1.5, Number.NaN],
  counts: [1, 4294967295],
  bytes: new Uint8Array([1, 2]),
  big: -9223372036854775808n,
  look: { bold: true, veryThin: false },
  shape: { tag: 'box', val: { width: 2, depth: undefined } },
  moreShapes: [{ tag: 'none' }, { tag: 'circle', val: 1 }],
  pair: ['a', 255],
  kind: 'very-fancy',
  kindOrNull: undefined,
  char: 'é',
  flagsOfMine: [true, false],
  boxes: [{ width: 1, depth: 4 }],
};

/** Typed arrays and arrays of the same numbers are the same here. */
const plain = (value) =>
  structuredClone(value, {}) &&
  JSON.stringify(value, (_, part) =>
    typeof part === 'bigint' ? `${part}n` : ArrayBuffer.isView(part) ? [...part] : part,
  );

const failure = async (call) => {
  try {
    await call();
  } catch (error) {
    return error.payload;
  }
  return assert.fail('it did not fail');
};

// The glue of jco 1.16 for Node reads lists of numbers only after the component has freed them.
const withoutNumbers = ({ numbers, counts, ...rest }) => plain({ ...rest, lengths: [numbers.length, counts.length] });
assert.equal(withoutNumbers(await tools.echo(everything)), withoutNumbers(everything));
assert.equal(await tools.checkIt(2, undefined), 6);
assert.equal(await tools.checkIt(2, 'xx'), 4);
assert.equal(await failure(() => tools.checkIt(5, undefined)), 'RangeError: 5 is more than 3');
assert.equal(await failure(() => tools.checkIt(1, 'badly')), 'badly asked');
assert.equal(await failure(() => tools.deep()), 'InternalError: too much recursion');
assert.equal(
  await failure(() => tools.wrong()),
  'TypeError: the answer at .items[1] is 300 and should be a whole number from 0 to 255',
);
assert.equal(await tools.opts('abc', true), 'ABC');
assert.equal(await tools.nothing(), undefined);
console.log('every call was answered as it should be');
