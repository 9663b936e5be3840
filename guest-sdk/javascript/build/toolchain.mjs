// Finds the packages that the build needs: first where the environment variable
// BAILIWICK_TOOLCHAINS says, then in the author's project and the folders above it.

import crypto from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MissingTool } from './problems.mjs';

/**
 * The versions that were tried together. TypeScript 7 has no compiler interface for
 * programs any more, and componentize-js needs preview2-shim without saying so.
 */
const PACKAGES = {
  '@bytecodealliance/componentize-js': '0.23.0',
  '@bytecodealliance/jco': '1.16.1',
  '@bytecodealliance/preview2-shim': '0.17.9',
  'regexpu-core': '6.4.0',
  typescript: '6.0.3',
  esbuild: '0.28.2',
};

const LEAST_NODE = 20;

/** The command that installs all of them. */
export const INSTALL = `npm install --save-dev ${Object.entries(PACKAGES)
  .map(([name, version]) => `${name}@${version}`)
  .join(' ')}`;

/** @param {string} project the author's folder */
export function findToolchain(project, env = process.env) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < LEAST_NODE)
    throw new MissingTool(`node ${process.versions.node} is too old: it has to be ${LEAST_NODE} or newer`);
  const places = [env.BAILIWICK_TOOLCHAINS && join(env.BAILIWICK_TOOLCHAINS, 'javascript'), project].filter(Boolean);
  return new Toolchain(places);
}

export class Toolchain {
  constructor(places) {
    this.places = places;
  }

  /** TypeScript's compiler, which reads the types of JavaScript too. */
  async typescript() {
    const folder = this.folder('typescript');
    const entry = join(folder, 'lib/typescript.js');
    if (!existsSync(entry)) throw this.#wrong('typescript', folder, 'it has no compiler interface');
    return (await load(entry)).default;
  }

  /** esbuild, which makes one module of the author's files. */
  async esbuild() {
    return (await load(join(this.folder('esbuild'), 'lib/main.js'))).default;
  }

  /** What writes out the parts of regular expressions that the engine lacks. */
  async regexpu() {
    const folder = this.folder('regexpu-core');
    return (await load(join(folder, 'rewrite-pattern.js'))).default;
  }

  /** What wraps modules as components, and takes components apart. */
  async jco() {
    const folder = this.folder('@bytecodealliance/jco');
    return load(join(folder, main(folder)));
  }

  /** What makes a component of a module: an engine, glue for it, and the wrapping. */
  async componentize() {
    const folder = this.folder('@bytecodealliance/componentize-js');
    const version = versionOf(folder);
    const wanted = PACKAGES['@bytecodealliance/componentize-js'];
    if (version !== wanted)
      throw this.#wrong(
        '@bytecodealliance/componentize-js',
        folder,
        `it is ${version}, and this SDK works with ${wanted}`,
      );
    if (!find('@bytecodealliance/preview2-shim', folder)) this.folder('@bytecodealliance/preview2-shim');
    withoutChance();
    const { splicer } = await load(join(folder, 'lib/spidermonkey-embedding-splicer.js'));
    const { componentNew, metadataAdd, preview1AdapterReactorPath } = await this.jco();
    return {
      splicer,
      componentNew,
      metadataAdd,
      adapter: preview1AdapterReactorPath(),
      engine: join(folder, 'lib/starlingmonkey_embedding.wasm'),
      version,
    };
  }

  /** Where a package is. */
  folder(name) {
    for (const place of this.places) {
      const found = find(name, place);
      if (found) return found;
    }
    throw new MissingTool(`the package \`${name}\` is missing in ${this.places.join(' and ')}`, INSTALL);
  }

  #wrong(name, folder, why) {
    return new MissingTool(`the package \`${name}\` in ${folder} doesn't fit: ${why}`, INSTALL);
  }
}

/**
 * From here on, this process has zeros for random numbers. What makes the component is
 * WebAssembly itself, and orders functions by maps whose order is drawn by chance.
 */
function withoutChance() {
  crypto.randomFillSync = (target, offset = 0, length = target.byteLength - offset) => {
    new Uint8Array(target.buffer ?? target, (target.byteOffset ?? 0) + offset, length).fill(0);
    return target;
  };
  crypto.randomBytes = (length) => Buffer.alloc(length);
  syncBuiltinESMExports();
}

/** The folder of a package, as Node looks for it from a folder. */
function find(name, from) {
  for (let at = resolve(from); ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(at) === at) return undefined;
  }
}

const manifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const versionOf = (folder) => manifest(folder).version;
const main = (folder) => manifest(folder).exports['.'].default;
const load = (file) => import(pathToFileURL(file).href);
