import { open } from 'wasi:keyvalue/store@0.2.0-draft';
import * as atomics from 'wasi:keyvalue/atomics@0.2.0-draft';
import { asking } from './error.js';

export function increment(key, by = 1n) {
  return asking(`the counter \`${key}\``, () => atomics.increment(open(''), key, BigInt(by)));
}
