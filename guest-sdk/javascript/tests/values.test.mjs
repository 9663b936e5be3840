import assert from 'node:assert/strict';
import test from 'node:test';
import { lift, lower, table } from '../runtime/values.js';

const types = table([
  { name: 'kind', enum: [{ name: 'veryFancy', wit: 'very-fancy' }] },
  {
    name: 'look',
    flags: [
      { name: 'very_thin', js: 'veryThin' },
      { name: 'bold', js: 'bold' },
    ],
  },
  {
    name: 'thing',
    record: [
      { name: 'the_kind', js: 'theKind', type: { ref: 'kind' } },
      { name: 'size', js: 'size', type: { option: 'u8', none: 'undefined' } },
    ],
  },
  {
    name: 'shape',
    variant: [
      { name: 'noShape', wit: 'no-shape' },
      { name: 'some', wit: 'some', type: { ref: 'thing' } },
    ],
  },
]);

/** What crosses unchanged, as the author and as the glue sees it. */
const both = [
  ['string', 'hé', 'hé'],
  ['u64', 18446744073709551615n, 18446744073709551615n],
  ['f64', Number.NaN, Number.NaN],
  [{ list: 'f64' }, [1, 2.5], new Float64Array([1, 2.5])],
  [{ list: 'u8', typed: 'Uint8Array' }, new Uint8Array([1]), new Uint8Array([1])],
  [{ option: 'string', none: 'null' }, null, undefined],
  [{ option: 'string', none: 'undefined' }, undefined, undefined],
  [{ option: { option: 'string', none: 'undefined' }, none: 'undefined' }, 'a', { tag: 'some', val: 'a' }],
  [{ tuple: ['string', 's8'] }, ['a', -128], ['a', -128]],
  [{ ref: 'kind' }, 'veryFancy', 'very-fancy'],
  [{ ref: 'look' }, { very_thin: true, bold: false }, { veryThin: true, bold: false }],
  [{ ref: 'thing' }, { the_kind: 'veryFancy' }, { theKind: 'very-fancy', size: undefined }],
  [{ ref: 'shape' }, { tag: 'noShape' }, { tag: 'no-shape' }],
  [
    { list: { ref: 'shape' } },
    [{ tag: 'some', val: { the_kind: 'veryFancy', size: 3 } }],
    [{ tag: 'some', val: { theKind: 'very-fancy', size: 3 } }],
  ],
];

test('values keep what they are and change their names', () => {
  for (const [type, ours, theirs] of both) {
    assert.deepEqual(lift(type, theirs, types), ours);
    const back = lower(type, ours, types);
    assert.deepEqual(ArrayBuffer.isView(theirs) ? [...back] : back, ArrayBuffer.isView(theirs) ? [...theirs] : theirs);
  }
});

test('a property that was left out is not there', () => {
  assert.ok(!('size' in lift({ ref: 'thing' }, { theKind: 'very-fancy', size: undefined }, types)));
});

test('what the type can not hold is refused, with its place', () => {
  const cases = [
    ['u8', 256, 'the answer is 256 and should be a whole number from 0 to 255'],
    ['u8', 1.5, 'the answer is 1.5 and should be a whole number from 0 to 255'],
    ['u32', -1, 'the answer is -1 and should be a whole number from 0 to 4294967295'],
    ['s64', 1, 'the answer is 1 and should be a bigint from -9223372036854775808 to 9223372036854775807'],
    ['string', undefined, 'the answer is undefined and should be a string'],
    ['bool', 'yes', 'the answer is "yes" and should be true or false'],
    ['char', 'ab', 'the answer is "ab" and should be one character'],
    [{ list: 'string' }, 'a', 'the answer is "a" and should be an array'],
    [
      { list: { ref: 'thing' } },
      [{ the_kind: 'plain' }],
      'the answer at [0].the_kind is "plain" and should be one of "veryFancy"',
    ],
    [{ tuple: ['string', 's8'] }, ['a'], 'the answer is an array of 1 and should be an array of 2'],
    [{ ref: 'thing' }, null, 'the answer is null and should be an object (thing)'],
    [{ ref: 'look' }, { thin: true }, 'the answer is "thin" and should be only "very_thin", "bold"'],
    [{ ref: 'shape' }, { tag: 'round' }, 'the answer at .tag is "round" and should be one of "noShape", "some"'],
    [{ list: 'u8', typed: 'Uint8Array' }, [1], 'the answer is an array of 1 and should be a Uint8Array'],
  ];
  for (const [type, value, message] of cases)
    assert.throws(() => lower(type, value, types), { name: 'TypeError', message });
});
