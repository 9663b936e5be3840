export function shout(text) {
  return text;
}

/**
 * Its result is not known.
 * @param {string} text
 */
export function parsed(text) {
  return JSON.parse(text);
}
