/**
 * Begins a review of a text.
 * @prompt
 * @param {string} text The text to review.
 * @param {string} [audience] Who reads it, such as `new customers`.
 * @param {string} [focus] What matters most, such as `brevity`.
 */
export function review(text, audience, focus) {
  const task = ['Review the text below.'];
  if (audience) task.push(`It is read by ${audience}: say what they would not understand.`);
  if (focus) task.push(`What matters most is ${focus}.`);
  task.push('Quote each passage that you would change, and give your words for it.');
  return `${task.join(' ')}\n\n---\n\n${text}`;
}

/**
 * Begins a comparison of two versions of a text.
 * @prompt
 * @param {string} before The older version.
 * @param {string} after The newer version.
 */
export function compare(before, after) {
  const task =
    'Compare the two versions of a text below. List what changed in meaning first, then what only reads differently, ' +
    'and say which version you would keep.';
  return `${task}\n\n--- before\n\n${before}\n\n--- after\n\n${after}`;
}
