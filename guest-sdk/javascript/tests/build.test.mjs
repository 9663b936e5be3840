// Builds as `bailiwick build` starts them, up to components that run.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { INSTALL } from '../build/toolchain.mjs';
import { env, repository, sdk, toolchain } from './toolchain.mjs';

const MANIFEST = 'skill_id = "acme/try"\nversion = "0.1.0"\nkind = "tool"\ncomponent = "try.wasm"\n';

function folder(files, below = '.') {
  const base = join(mkdtempSync(join(tmpdir(), 'bailiwick-build-')), below);
  mkdirSync(base, { recursive: true });
  for (const [name, text] of Object.entries({ 'skill.toml': MANIFEST, ...files }))
    writeFileSync(join(base, name), text);
  return base;
}

function build(base, { source = 'skill.js', variables = env } = {}) {
  const script = join(sdk, 'build.mjs');
  const args = [script, '--source', source, '--wit', join(repository, 'wit'), '--work', '.build'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: base, env: variables, encoding: 'utf8' });
  return { status, stderr };
}

const example = (name) => readFileSync(join(sdk, 'tests/wit', name), 'utf8');

test('the same sources give the same bytes, in any folder, and a component that works', async () => {
  const files = { 'skill.js': example('everything.js'), 'lib.js': example('lib.js') };
  const [one, other] = [folder(files), folder(files, 'somewhere/else')];
  for (const base of [one, other]) assert.equal(build(base).status, 0);
  const component = readFileSync(join(one, '.build/skill.wasm'));
  assert.ok(component.equals(readFileSync(join(other, '.build/skill.wasm'))), 'the bytes differ');
  assert.match(readFileSync(join(one, '.build/wit/skill.wit'), 'utf8'), /^package acme:try;/);
  const { componentWit } = await toolchain.jco();
  const imports = [...(await componentWit(component)).matchAll(/^ {2}import ([^;@]+)/gm)].map(([, name]) => name);
  assert.deepEqual(imports, ['wasi:io/error', 'wasi:io/streams', 'wasi:cli/stderr']);
  const stderr = await runs(one, 'everything');
  assert.match(stderr, /RangeError: 5 is more than 3\n {4}at check \(lib\.js:2\)\n {4}at checkIt \(skill\.js:\d+\)\n/);
  assert.doesNotMatch(stderr, /badly asked/);
});

/** Makes a component callable from Node, and calls it by `run.mjs` of a folder of tests. */
async function runs(base, tests, map = {}) {
  const component = readFileSync(join(base, '.build/skill.wasm'));
  const { transpile } = await toolchain.jco();
  const { files } = await transpile(component, { name: 'skill', map });
  for (const [name, bytes] of Array.isArray(files) || files instanceof Map ? files : Object.entries(files)) {
    mkdirSync(dirname(join(base, 'out', name)), { recursive: true });
    writeFileSync(join(base, 'out', name), bytes);
  }
  symlinkSync(join(toolchain.folder('typescript'), '..'), join(base, 'node_modules'));
  writeFileSync(join(base, 'out/package.json'), '{"type": "module"}');
  for (const name of readdirSync(join(sdk, 'tests', tests)).filter((one) => one !== 'skill.js')) {
    cpSync(join(sdk, 'tests', tests, name), join(base, 'out', name));
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['out/run.mjs'], { cwd: base, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /every call was answered as it should be/);
  return stderr;
}

test('functions of all marks are what the interfaces of the host want', async () => {
  const base = folder({ 'skill.js': example('marks.js') });
  assert.deepEqual(build(base), { status: 0, stderr: '' });
  await runs(base, 'marks');
});

test('the host is asked as its interfaces want it, and its refusals are errors', async () => {
  const base = folder({ 'skill.js': readFileSync(join(sdk, 'tests/host/skill.js')) });
  assert.deepEqual(build(base), { status: 0, stderr: '' });
  await runs(base, 'host', { 'bailiwick:skill/*': './host.js#*', 'wasi:logging/logging': './host.js#logging' });
});

test('a toolchain that is missing is told with the command that installs it', () => {
  const base = folder({ 'skill.js': '' });
  const { status, stderr } = build(base, { variables: { PATH: process.env.PATH } });
  assert.equal(status, 2);
  assert.equal(stderr, `error: the package \`typescript\` is missing in ${base}\n  Install it: ${INSTALL}\n`);
});

test('the templates of new packages install what is tested here', () => {
  const templates = join(repository, 'host/authoring/templates/javascript');
  const kinds = readdirSync(templates);
  assert.ok(kinds.length > 0);
  for (const kind of kinds) {
    const { devDependencies } = JSON.parse(readFileSync(join(templates, kind, 'package.json'), 'utf8'));
    const wanted = Object.entries(devDependencies).map(([name, version]) => `${name}@${version}`);
    assert.deepEqual(
      wanted.sort(),
      INSTALL.split(' ')
        .filter((word) => /.@/.test(word))
        .sort(),
      kind,
    );
  }
});

test('a file that is missing is told', () => {
  const { status, stderr } = build(folder({}), { source: 'skill.ts' });
  assert.equal(status, 1);
  assert.match(stderr, /^skill\.ts: error: the file is missing\n {2}Write it, or name/);
});

test('errors of the sources end the build before anything is made', () => {
  const { status, stderr } = build(
    folder({ 'skill.js': '/** It shouts. */\nexport function shout(text) {\n  return `${text}!`;\n}\n' }),
  );
  assert.equal(status, 1);
  assert.match(stderr, /^skill\.js:2:23: error: the parameter `text` has no type/);
});

test('code that fails while the skill is built is told with its line', () => {
  const base = folder({ 'skill.js': '/** It is.\n * @returns {number} */\nexport const one = () => 1;\n\nnull.x;\n' });
  const { status, stderr } = build(base);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^error: the skill's code did not start: what is outside of functions threw an error\n {2}skill\.js:5 TypeError/,
  );
});

test('what the host offers is not there while the skill is built', () => {
  const base = folder({
    'skill.js':
      "import { config } from '@bailiwick/skill';\n/** It is.\n * @returns {string} */\nexport const one = () => all.a;\nconst all = config.all();\n",
  });
  const { status, stderr } = build(base);
  assert.equal(status, 1);
  assert.match(stderr, /it used wasi:config\/store@0\.2\.0-rc\.1 \(get-all\) outside of a tool/);
});
