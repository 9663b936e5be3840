/**
 * @prompt
 * @param {number} many
 */
export function numbers(many) {
  return `${many}`;
}

/** @resource */
export function nowhere() {
  return '';
}

/**
 * @resource notes://day/{date}/{hour}
 * @param {string} date
 */
export function hour(date) {
  return date;
}

/** @workflow */
export function one() {}
/** @workflow */
export function two() {}
