import { ToolError } from '@bailiwick/skill';

/** @import { U32 } from '@bailiwick/skill' */

/**
 * How long a text is.
 * @typedef {object} Size
 * @property {U32} lines How many lines it has.
 * @property {U32} words How many words.
 * @property {U32} characters How many characters, blanks included.
 */

/**
 * How often a word is there.
 * @typedef {object} Frequency
 * @property {string} word The word, in lower case.
 * @property {U32} times How often.
 */

/**
 * Counts the lines, words and characters of a text.
 * @param {string} text What to measure.
 * @returns {Size}
 */
export function count(text) {
  return {
    lines: text.split('\n').length - (text.endsWith('\n') || text === '' ? 1 : 0),
    words: words(text).length,
    characters: [...text].length,
  };
}

/**
 * Lists the most frequent words of a text, the most frequent first.
 * @param {string} text What to look at.
 * @param {U32} [most] How many words to list, 1 to 1000; 10 unless given.
 * @returns {Frequency[]}
 */
export function frequent(text, most = 10) {
  // The caller reads what is thrown, so it says what would be right.
  if (most < 1 || most > 1000) throw new ToolError(`\`most\` is ${most}, expected 1 to 1000`);
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const word of words(text.toLowerCase())) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .map(([word, times]) => ({ word, times }))
    .sort((a, b) => b.times - a.times || (a.word < b.word ? -1 : 1))
    .slice(0, most);
}

/** @param {string} text */
function words(text) {
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}
