// Runs a module's initialisation once, at build time, and writes a module that begins
// where that ended: the engine has then started, and has read and run the author's
// top-level code.
//
// The tool that usually does this (wizer) lends the module the machine's clock, random
// numbers and folder names, which all end up in the bytes. Here each of them is the same
// every time, so that the same sources give the same skill on any machine.

import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as wasm from './wasm.mjs';

const { SECTION } = wasm;
const PAGE = 65536;

/** Between two segments of data, so many zeros are cheaper written than left out. */
const GAP = 64;
/** Engines refuse modules of more than 100,000 segments; this is far below. */
const MAX_SEGMENTS = 10000;

/**
 * @param {Uint8Array} module the engine with the glue for this skill's world
 * @param {{ work: string, files: Record<string, string>, input: string, env: Record<string, string>, init: string,
 *   explain: (output: string) => string }} setting
 *   an empty folder to work in, the files that the module finds in its root, its standard
 *   input, its environment, the function to run, and what makes its messages readable
 * @returns {Promise<Uint8Array>}
 */
export async function snapshot(module, setting) {
  const sections = wasm.readSections(module);
  const globals = wasm.readGlobals(body(sections, SECTION.global));
  if (!wasm.hasOnlyActiveData(body(sections, SECTION.data))) throw new Error('the engine has data that it loads later');
  const instance = await run(exposeGlobals(sections, globals), setting);
  return wasm.writeSections(rewrite(sections, globals, instance, setting.init));
}

/** The initialisation failed; `output` is what the engine wrote about it. */
export class InitError extends Error {
  constructor(cause, output) {
    super([`error: the skill's code did not start: ${cause}`, output.trimEnd()].filter(Boolean).join('\n  '));
  }
}

function body(sections, id) {
  const found = sections.find((section) => section.id === id);
  if (!found) throw new Error(`the engine has no section ${id}`);
  return found.body;
}

function replace(sections, id, bytes) {
  return sections.map((section) => (section.id === id ? { id, body: bytes } : section));
}

const exposed = (index) => `bailiwick-global-${index}`;

/** The module with its mutable globals exported, so that they can be read. */
function exposeGlobals(sections, globals) {
  const entries = wasm.readExports(body(sections, SECTION.export));
  globals.forEach((global, index) => {
    if (global.mutable) entries.push(wasm.globalExport(exposed(index), index));
  });
  return wasm.writeSections(replace(sections, SECTION.export, wasm.writeExports(entries)));
}

async function run(module, setting) {
  const compiled = await WebAssembly.compile(module);
  const host = await makeHost(setting);
  try {
    const instance = await WebAssembly.instantiate(compiled, host.imports(compiled));
    host.start(instance);
    instance.exports[setting.init]();
    return instance;
  } catch (error) {
    // Where the engine gives up it ends the program, which Node throws as something of its own.
    const cause = error instanceof Error ? error.message : 'what is outside of functions threw an error';
    throw new InitError(cause, setting.explain(host.output()));
  } finally {
    host.close();
  }
}

/** WASI of Node, with files and an input of our own, and without chance and time. */
async function makeHost({ work, files, input, env }) {
  const { WASI } = await import('node:wasi');
  const root = join(work, 'root');
  mkdirSync(root, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  writeFileSync(join(work, 'input'), input);
  const outputs = join(work, 'output');
  const [stdin, stdout] = [openSync(join(work, 'input'), 'r'), openSync(outputs, 'w')];
  const wasi = new WASI({ version: 'preview1', env, preopens: { '/': root }, stdin, stdout, stderr: stdout });
  let memory;
  const fixed = {
    ...wasi.wasiImport,
    ...withoutChance(() => memory),
  };
  return {
    imports: (compiled) => importsOf(compiled, fixed),
    start(instance) {
      memory = instance.exports.memory;
      wasi.initialize(instance);
    },
    output: () => readFileSync(outputs, 'utf8'),
    close() {
      closeSync(stdin);
      closeSync(stdout);
    },
  };
}

/** Clocks that go on by a microsecond whenever they are read, and numbers that only look random. */
function withoutChance(memory) {
  let now = 0n;
  let state = 0x9e3779b9;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  };
  return {
    clock_time_get(_clock, _precision, result) {
      now += 1000n;
      new DataView(memory().buffer).setBigUint64(result, now, true);
      return 0;
    },
    random_get(from, length) {
      const target = new Uint8Array(memory().buffer, from, length);
      for (let i = 0; i < length; i += 1) target[i] = next();
      return 0;
    },
  };
}

/** What the host of a call offers is not there yet: who uses it while starting is told so. */
function importsOf(compiled, preview1) {
  const imports = {};
  for (const { module, name } of WebAssembly.Module.imports(compiled)) {
    imports[module] ??= {};
    imports[module][name] =
      (module === 'wasi_snapshot_preview1' && preview1[name]) ||
      (() => {
        throw new Error(
          `it used ${module} (${name}) outside of a tool. Code at the top level runs when the skill is built, without a host`,
        );
      });
  }
  return imports;
}

function rewrite(sections, globals, instance, init) {
  const memory = new Uint8Array(instance.exports.memory.buffer);
  const segments = segmentsOf(memory);
  const live = globals.map((global, index) =>
    global.mutable ? { ...global, init: wasm.constant(global.type, instance.exports[exposed(index)].value) } : global,
  );
  const entries = wasm
    .readExports(body(sections, SECTION.export))
    .filter(({ name }) => name !== init && name !== '_initialize');
  const { max } = wasm.readMemory(body(sections, SECTION.memory));
  const bodies = new Map([
    [SECTION.global, wasm.writeGlobals(live)],
    [SECTION.export, wasm.writeExports(entries)],
    [SECTION.memory, wasm.writeMemory({ min: memory.length / PAGE, max })],
    [SECTION.data, wasm.writeData(segments)],
    [SECTION.dataCount, Uint8Array.from(wasm.unsigned(segments.length))],
  ]);
  return sections
    .filter(({ id }) => id !== SECTION.start)
    .map(({ id, body: old }) => ({ id, body: bodies.get(id) ?? old }));
}

/** What is in memory, without its long stretches of zeros. */
function segmentsOf(memory) {
  let gap = GAP;
  let segments = cut(memory, gap);
  while (segments.length > MAX_SEGMENTS) {
    gap *= 2;
    segments = cut(memory, gap);
  }
  return segments;
}

function cut(memory, gap) {
  const words = new Uint32Array(memory.buffer, 0, memory.length / 4);
  const segments = [];
  let from = -1;
  let last = -1;
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] === 0) continue;
    if (from >= 0 && (at - last) * 4 > gap) {
      segments.push({ offset: from * 4, bytes: memory.subarray(from * 4, (last + 1) * 4) });
      from = at;
    }
    if (from < 0) from = at;
    last = at;
  }
  if (from >= 0) segments.push({ offset: from * 4, bytes: memory.subarray(from * 4, (last + 1) * 4) });
  return segments;
}
