import { open } from 'wasi:keyvalue/store@0.2.0-draft';
import { asking } from './error.js';

const bucket = () => asking('the state', () => open(''));

export function get(key) {
  return asking(`the state \`${key}\``, () => bucket().get(key));
}

export function getText(key) {
  const bytes = get(key);
  return bytes && new TextDecoder().decode(bytes);
}

export function getJson(key) {
  const text = getText(key);
  return text === undefined ? undefined : JSON.parse(text);
}

export function set(key, value) {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  asking(`the state \`${key}\``, () => bucket().set(key, bytes));
}

export function setJson(key, value) {
  set(key, JSON.stringify(value));
}

function remove(key) {
  asking(`the state \`${key}\``, () => bucket().delete(key));
}
export { remove as delete };

export function has(key) {
  return asking(`the state \`${key}\``, () => bucket().exists(key));
}

/** Up to `limit` keys; the host answers them in pages. */
export function keys(limit = 1000) {
  const opened = bucket();
  const found = [];
  let cursor;
  do {
    const page = asking('the keys of the state', () => opened.listKeys(cursor));
    found.push(...page.keys);
    cursor = page.keys.length > 0 ? page.cursor : undefined;
  } while (cursor !== undefined && found.length < limit);
  return found.slice(0, limit);
}
