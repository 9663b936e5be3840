// What becomes of the author's files, without making a component of them.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { bundle } from '../build/bundle.mjs';
import { withoutProperties } from '../build/regexps.mjs';
import { toolchain } from './toolchain.mjs';

const esbuild = await toolchain.esbuild();
const ts = await toolchain.typescript();
const rewritePattern = await toolchain.regexpu();

/** Bundles files, of which `skill.js` is the author's main one. */
function make(files) {
  const base = mkdtempSync(join(tmpdir(), 'bailiwick-bundle-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(base, name)), { recursive: true });
    writeFileSync(join(base, name), text);
  }
  const glue = `import * as author from ${JSON.stringify(join(base, 'skill.js'))}; globalThis.result = author;`;
  return bundle(esbuild, { glue, base, rewrite: (code) => withoutProperties(ts, rewritePattern, code) });
}

test('a skill imports the interfaces that its code uses, and no others', async () => {
  const sdk = "from '@bailiwick/skill';";
  const cases = [
    [`import { progress, log, state } ${sdk} export const f = () => 1;`, []],
    [`import { progress } ${sdk} export const f = () => progress.report(1);`, ['bailiwick:skill/progress@0.1.0']],
    [`import { state } ${sdk} export const f = () => state.get('a');`, ['wasi:keyvalue/store@0.2.0-draft']],
    [
      `import { counters } ${sdk} export const f = () => counters.increment('a');`,
      ['wasi:keyvalue/atomics@0.2.0-draft', 'wasi:keyvalue/store@0.2.0-draft'],
    ],
    [
      `import { log, ToolError } ${sdk} export const f = () => { log.info('a'); throw new ToolError('b'); };`,
      ['wasi:logging/logging@0.1.0-draft'],
    ],
    [
      `import { skills, models, approvals, config } ${sdk} export const f = () => [skills.call, models.complete, approvals.ask, config.all];`,
      [
        'bailiwick:skill/approvals@0.1.0',
        'bailiwick:skill/models@0.1.0',
        'bailiwick:skill/skills@0.1.0',
        'wasi:config/store@0.2.0-rc.1',
      ],
    ],
    [
      "import { get } from 'wasi:config/store@0.2.0-rc.1'; export const f = () => get('a');",
      ['wasi:config/store@0.2.0-rc.1'],
    ],
  ];
  for (const [code, imports] of cases) assert.deepEqual((await make({ 'skill.js': code })).imports, imports, code);
});

test('files of the author and packages of npm are taken in, TypeScript too', async () => {
  const { code, sourceLine } = await make({
    'skill.js': "import { one } from './lib/one.ts';\nimport two from 'two';\nexport const f = () => one() + two();\n",
    'lib/one.ts': '\n\nexport function one(): number {\n  return 1234;\n}\n',
    'node_modules/two/package.json': '{"name": "two", "main": "main.js"}',
    'node_modules/two/main.js': 'module.exports = () => 5678;\n',
  });
  assert.match(code, /1234[\s\S]*5678|5678[\s\S]*1234/);
  const row = (text) => code.split('\n').findIndex((line) => line.includes(text)) + 1;
  assert.equal(sourceLine(row('1234')), 'lib/one.ts:4');
  assert.equal(sourceLine(row('5678')), undefined);
});

test('no place of this machine is in the code', async () => {
  const { code } = await make({
    'skill.js': "import { ToolError } from '@bailiwick/skill'; export const f = () => new ToolError('a');",
  });
  assert.doesNotMatch(code, /bailiwick-bundle-|guest-sdk/);
});

test('properties of Unicode are written out', async () => {
  const { code } = await make({
    'skill.js': String.raw`export const f = (a) => [/^[\p{L}_]+$/u.test(a), /\p{Nd}/v.test(a), /\\p{L}/.test(a), '\\p{L}'];`,
  });
  assert.doesNotMatch(code, /\/\^\[\\p|\/\\p\{Nd/);
  await import(`data:text/javascript,${encodeURIComponent(code)}`);
  assert.deepEqual(globalThis.result.f('Ünï'), [true, false, false, '\\p{L}']);
  assert.deepEqual(globalThis.result.f('٣'), [false, true, false, '\\p{L}']);
});

test('what can not be found is told, with its line', async () => {
  const said = async (code) => {
    const error = await make({ 'skill.js': code }).then(
      () => assert.fail('it was found'),
      (one) => one,
    );
    return error.message;
  };
  assert.equal(
    await said("\nimport fs from 'node:fs'; export const f = () => fs;"),
    'skill.js:2:16: error: Could not resolve "node:fs"\n  `node:fs` is a part of Node, which a skill doesn\'t run in. Use what JavaScript itself and the web have, or a package that does.',
  );
  assert.equal(
    await said("import marked from 'marked'; export const f = () => marked;"),
    'skill.js:1:20: error: Could not resolve "marked"\n  Install the package with npm in the folder of the skill.',
  );
  assert.equal(
    await said("import { a } from './a.js'; export const f = () => a;"),
    'skill.js:1:19: error: Could not resolve "./a.js"',
  );
});
