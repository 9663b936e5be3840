// Where the tests find the packages: where the builds do, and else where this
// repository's set-up puts them.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findToolchain } from '../build/toolchain.mjs';

export const sdk = join(dirname(fileURLToPath(import.meta.url)), '..');
export const repository = join(sdk, '../..');

const own = join(repository, 'target/toolchains');

/** The environment in which builds find the packages. */
export const env = { ...process.env };
if (!env.BAILIWICK_TOOLCHAINS && existsSync(own)) env.BAILIWICK_TOOLCHAINS = own;

export const toolchain = findToolchain(sdk, env);
