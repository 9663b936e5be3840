/** @param {number} n */
export function check(n) { if (n > 3) throw new RangeError(`${n} is more than 3`); return n; }
