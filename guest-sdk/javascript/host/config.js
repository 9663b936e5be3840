import * as host from 'wasi:config/store@0.2.0-rc.1';
import { asking } from './error.js';

export function get(key) {
  return asking(`the setting \`${key}\``, () => host.get(key));
}

export function all() {
  return Object.fromEntries(asking('the settings', () => host.getAll()));
}
