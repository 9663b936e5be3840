/**
 * @param {Strin} text
 * @param {import('./nowhere.js').Thing} thing
 */
export function shout(text, thing) {
  return undeclaredIsNotChecked(text);
}
