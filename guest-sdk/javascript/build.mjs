// Builds the skill of a folder: node build.mjs --source skill.js --wit WIT --work .build
//
// It reads the types of what the source exports, writes them as WIT to WORK/wit, makes one
// module of all sources, and a component of that: WORK/skill.wasm. What is wrong goes to
// stderr; the exit status is 1 then, and 2 where a tool is missing.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle, runtime } from './build/bundle.mjs';
import { makeComponent } from './build/component.mjs';
import { readExports } from './build/exports.mjs';
import { featuresOf } from './build/features.mjs';
import { writeGlue } from './build/glue.mjs';
import { MissingTool, Problems } from './build/problems.mjs';
import { readProgram } from './build/program.mjs';
import { withoutProperties } from './build/regexps.mjs';
import { InitError } from './build/snapshot.mjs';
import { findToolchain } from './build/toolchain.mjs';
import { placeWit, writeWit } from './build/wit.mjs';

const SDK = dirname(fileURLToPath(import.meta.url));
const WORLD = 'skill';

async function main() {
  const { base, source, wit, work } = readArguments();
  const toolchain = findToolchain(base);
  const ts = await toolchain.typescript();
  const skill = readExports(readProgram(ts, source, base));
  for (const warning of skill.warnings) console.error(String(warning));
  if (skill.problems.length > 0) throw new Problems(skill.problems);

  const glue = writeGlue({ skill, source, runtime });
  const rewritePattern = await toolchain.regexpu();
  const rewrite = (text) => withoutProperties(ts, rewritePattern, text);
  const { code, imports, sourceLine } = await bundle(await toolchain.esbuild(), { glue, base, rewrite });
  const folder = join(work, 'wit');
  placeWit(folder, writeWit({ package: packageName(base), skill, imports }), [join(SDK, 'wit'), wit]);
  mkdirSync(join(work, 'glue'), { recursive: true });
  writeFileSync(join(work, 'glue/skill.js'), code);

  const component = await makeComponent({
    toolchain: await toolchain.componentize(),
    source: code,
    wit: folder,
    world: WORLD,
    features: featuresOf(ts, code),
    work: join(work, 'engine'),
    sourceLine,
  });
  writeFileSync(join(work, 'skill.wasm'), component);
}

function readArguments() {
  const options = { source: { type: 'string' }, wit: { type: 'string' }, work: { type: 'string' } };
  const { values } = parseArgs({ options });
  for (const name of Object.keys(options)) {
    if (!values[name])
      throw new Problems([`--${name} is missing: node build.mjs --source skill.js --wit WIT --work .build`]);
  }
  const base = process.cwd();
  const source = resolve(values.source);
  if (!existsSync(source)) {
    throw new Problems([
      `${values.source}: error: the file is missing\n  Write it, or name the file of the tools as \`source\` under \`[build]\` in skill.toml.`,
    ]);
  }
  return { base, source, wit: resolve(values.wit), work: resolve(values.work) };
}

/** The skill's id as WIT writes it, where WIT can. */
function packageName(base) {
  const manifest = join(base, 'skill.toml');
  const text = existsSync(manifest) ? readFileSync(manifest, 'utf8') : '';
  const id = /^\s*skill_id\s*=\s*["']([^"'/]+)\/([^"'/]+)["']/m.exec(text);
  const isName = (part) => /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/.test(part);
  const isTaken = id?.[1] === 'wasi' || (id?.[1] === 'bailiwick' && id[2] === 'skill');
  return id && isName(id[1]) && isName(id[2]) && !isTaken ? `${id[1]}:${id[2]}` : 'local:skill';
}

function report(error) {
  if (error instanceof MissingTool) {
    console.error(`error: ${error.message}`);
    return 2;
  }
  const foreseen = error instanceof Problems || error instanceof InitError;
  console.error(foreseen ? error.message : `error: the build failed: ${error.stack ?? error}`);
  return 1;
}

// Node says that its WASI is experimental. It only runs the author's own code here.
process.removeAllListeners('warning');

try {
  await main();
} catch (error) {
  process.exitCode = report(error);
}
