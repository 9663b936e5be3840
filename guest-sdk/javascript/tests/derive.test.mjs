// What a file exports, as WIT or as what is wrong with it. Each file of tests/wit has its
// WIT beside it, and each of tests/errors what the author reads. BLESS=1 writes both anew.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readExports } from '../build/exports.mjs';
import { Problems } from '../build/problems.mjs';
import { readProgram } from '../build/program.mjs';
import { writeWit } from '../build/wit.mjs';
import { sdk, toolchain } from './toolchain.mjs';

const ts = await toolchain.typescript();

for (const folder of ['wit', 'errors']) {
  const base = join(sdk, 'tests', folder);
  for (const name of readdirSync(base).filter((one) => /\.(js|ts)$/.test(one) && !one.startsWith('lib'))) {
    test(`${folder}/${name}`, () => check(join(base, `${name}.txt`), derive(base, name)));
  }
}

function derive(base, name) {
  try {
    const skill = readExports(readProgram(ts, join(base, name), base));
    const messages = [...skill.warnings, ...skill.problems].map(String);
    const wit = skill.problems.length > 0 ? [] : [writeWit({ package: 'test:skill', skill, imports: [] })];
    return [...messages, ...wit].join('\n');
  } catch (error) {
    if (error instanceof Problems) return error.message;
    throw error;
  }
}

function check(file, found) {
  const text = `${found.trimEnd()}\n`;
  if (process.env.BLESS) writeFileSync(file, text);
  assert.ok(existsSync(file), `${file} is missing: BLESS=1 node --test writes it`);
  assert.equal(text, readFileSync(file, 'utf8'));
}
