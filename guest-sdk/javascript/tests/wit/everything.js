/**
 * Tools that try everything out.
 * @module
 */
import { ToolError } from '@bailiwick/skill';
import { check } from './lib.js';
/** @import { U32, S64, Flags, U8, Char } from '@bailiwick/skill' */

/**
 * How it looks.
 * @typedef {Flags<'bold' | 'very_thin'>} Look
 */

/**
 * One of some shapes.
 * @typedef {{ tag: 'circle', val: number } | { tag: 'none' } | { tag: 'box', val: Box }} Shape
 */

/** A kind. @typedef {'plain' | 'veryFancy'} Kind */

/**
 * A box.
 * @typedef {object} Box
 * @property {number} width how wide it is
 * @property {U32} [depth] how deep it is, if so
 */

/**
 * @typedef {object} Everything
 * @property {string} text
 * @property {number[]} numbers
 * @property {U32[]} counts
 * @property {Uint8Array} bytes
 * @property {S64} big
 * @property {Look} look
 * @property {Shape} shape
 * @property {Shape[]} more_shapes
 * @property {[string, U8]} pair
 * @property {Kind} [kind]
 * @property {Kind | null} kindOrNull
 * @property {Char} char
 * @property {boolean[]} flagsOfMine
 * @property {Box[]} [boxes]
 */

/**
 * Gives back what it got.
 * @param {Everything} everything whatever
 * @returns {Everything} the same
 */
export function echo(everything) {
  console.log(everything);
  return everything;
}

/**
 * Checks a number.
 * @param {number} n the number
 * @param {string} [how]
 */
export function checkIt(n, how = 'well') {
  if (how === 'badly') throw new ToolError('badly asked');
  return check(n) + how.length;
}

/**
 * Goes too deep.
 * @returns {string}
 */
export const deep = () => { const f = () => f() + 1; return String(f()); };

/**
 * Answers wrongly.
 * @returns {Promise<{ items: U8[] }>}
 */
export async function wrong() { return { items: [1, 300] }; }

/**
 * Options in one.
 * @param {{ text: string, upper?: boolean }} options
 */
export function opts({ text, upper }) { return upper ? text.toUpperCase() : text; }

export function nothing() {}
