// Makes a component of one bundled JavaScript module and a WIT world: puts the glue for
// the world into the engine, takes a snapshot of it after it has started, takes out the
// parts of WASI that the skill doesn't use, and wraps the rest as a component.

import { readFileSync, rmSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as wasm from './wasm.mjs';
import { snapshot } from './snapshot.mjs';

const INIT = 'componentize.wizer';
const SOURCE = 'skill.js';

/** A world that wants nothing: what the skill's own one wants is kept from being taken out anyway. */
const NO_WORLD = 'package local:nothing; world nothing {}';

/** Why `check_init` of the engine refuses a snapshot. */
const REFUSALS = [
  '',
  'the engine found no exported functions',
  'the engine could not read the types of the exported functions',
];

/**
 * @param {{ toolchain: any, source: string, wit: string, world: string, features: string[], work: string,
 *   sourceLine: (row: number) => string | undefined }} options
 *   what `Toolchain.componentize` found, the module's text, the folder and the world of its
 *   WIT, the parts of WASI that it uses, a folder to work in, which is emptied, and the
 *   author's line of a line of the module
 * @returns {Promise<Uint8Array>}
 */
export async function makeComponent({ toolchain, source, wit, world, features, work, sourceLine }) {
  const { splicer, componentNew, metadataAdd } = toolchain;
  const engine = readFileSync(toolchain.engine);
  const spliced = splicer.spliceBindings(engine, features, undefined, wit, world, false);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const started = await snapshot(spliced.wasm, {
    work,
    init: INIT,
    files: { [SOURCE]: source, 'glue.js': spliced.jsBindings },
    input: `--initializer-script-path /glue.js --strip-path-prefix / ${SOURCE}`,
    env: environment(spliced, features),
    explain: (output) => inSources(output, sourceLine),
  });
  await check(started);
  const own = [...new Set(spliced.imports.map(([module]) => module))].filter((module) => module.startsWith('wasi:'));
  const stubbed = keepImports(started, own, (bytes) =>
    atTheEpoch(() => splicer.stubWasi(bytes, features, NO_WORLD, undefined, undefined)),
  );
  const adapter = readFileSync(toolchain.adapter);
  const component = await componentNew(stubbed, [['wasi_snapshot_preview1', adapter]], false);
  return metadataAdd(component, [
    ['language', [['JavaScript', '']]],
    ['processed-by', [['ComponentizeJS', toolchain.version]]],
  ]);
}

/** Messages of the engine about lines of the author's files, in place of those of the module. */
function inSources(output, sourceLine) {
  const lines = output.split('\n').filter((line) => !line.startsWith('Exception while evaluating'));
  return lines.join('\n  ').replace(/\bskill\.js:(\d+):\d+/g, (whole, row) => sourceLine(Number(row)) ?? whole);
}

/** What the engine reads at its start: which functions there are, and how they are called. */
function environment({ exports, imports }, features) {
  const env = {
    DEBUG: '',
    SOURCE_NAME: SOURCE,
    FEATURE_CLOCKS: features.includes('clocks') ? '1' : '',
    EXPORT_CNT: String(exports.length),
    IMPORT_CNT: String(imports.length),
  };
  exports.forEach(([name, type], i) => {
    env[`EXPORT${i}_NAME`] = name;
    env[`EXPORT${i}_ARGS`] = (type.paramptr ? '*' : '') + type.params.join(',');
    env[`EXPORT${i}_RET`] = (type.retptr ? '*' : '') + (type.ret ?? '');
    env[`EXPORT${i}_RETSIZE`] = String(type.retsize);
  });
  imports.forEach(([, name, arity], i) => {
    env[`IMPORT${i}_NAME`] = name;
    env[`IMPORT${i}_ARGCNT`] = String(arity);
  });
  return env;
}

/** Asks the snapshot itself whether it is ready to be called. */
async function check(started) {
  const compiled = await WebAssembly.compile(started);
  const imports = {};
  for (const { module, name } of WebAssembly.Module.imports(compiled)) {
    imports[module] ??= {};
    imports[module][name] = () => 0;
  }
  const { exports } = await WebAssembly.instantiate(compiled, imports);
  const status = exports.check_init();
  if (status !== 0) throw new Error(REFUSALS[status] ?? `the engine ended its start with status ${status}`);
}

/**
 * Runs `stub`, which takes the parts of WASI out of the engine that aren't used, on a
 * module whose own imports of WASI it doesn't recognise. It would take those away too:
 * without the feature `stdio` nothing could be written to stderr, and with it the
 * component would import files and terminals.
 */
function keepImports(bytes, own, stub) {
  const hidden = renameImports(bytes, own, 'wasi:', 'kept:');
  return renameImports(
    stub(hidden),
    own.map((name) => name.replace('wasi:', 'kept:')),
    'kept:',
    'wasi:',
  );
}

/** Runs `stub` at the beginning of 1970: it builds in what time it is, for engines without a clock. */
function atTheEpoch(stub) {
  const { now } = Date;
  Date.now = () => 0;
  try {
    return stub();
  } finally {
    Date.now = now;
  }
}

/** Both beginnings are of one length, so nothing else in the section changes. */
function renameImports(bytes, modules, from, to) {
  const sections = wasm.readSections(bytes).map(({ id, body }) => {
    if (id !== wasm.SECTION.import) return { id, body };
    let text = Buffer.from(body).toString('latin1');
    for (const name of modules) text = text.replaceAll(name, name.replace(from, to));
    return { id, body: Uint8Array.from(Buffer.from(text, 'latin1')) };
  });
  return wasm.writeSections(sections);
}
