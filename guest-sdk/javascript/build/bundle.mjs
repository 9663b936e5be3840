// Makes one module of the glue, the author's files, what they import from npm, and the
// parts of the SDK that are used. Nothing else decides what the skill imports from the host.

import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem, Problems } from './problems.mjs';

const SDK = join(dirname(fileURLToPath(import.meta.url)), '..');
const HOST = /^(wasi|bailiwick):[a-z0-9-]+\/[a-z0-9-]+@/;
const LINES = 'bailiwick:lines';

/** The file of the runtime, as the glue imports it. */
export const runtime = (file) => join(SDK, 'runtime', file);

/**
 * @param {any} esbuild
 * @param {{ glue: string, base: string, rewrite: (code: string) => string }} what the glue's text, the
 *   author's folder, and what to change in the code, line by line
 * @returns {Promise<{ code: string, imports: string[], sourceLine: (row: number) => string | undefined }>}
 *   `imports` are interfaces of the host; `sourceLine` gives the author's file and line of a line of `code`
 */
export async function bundle(esbuild, { glue, base, rewrite }) {
  const result = await build(esbuild, glue, base);
  const [output] = Object.values(result.metafile.outputs).filter(({ entryPoint }) => entryPoint);
  const imports = [...new Set(output.imports.filter(({ external }) => external).map(({ path }) => path))];
  const code = result.outputFiles.find(({ path }) => path.endsWith('.js')).text;
  const map = result.outputFiles.find(({ path }) => path.endsWith('.map')).text;
  const lines = table(JSON.parse(map), base);
  return {
    code: withLines(rewrite(withoutPaths(code, Object.keys(output.inputs))), lines),
    imports: imports.filter((path) => path !== LINES).sort(),
    sourceLine: (row) => placeOf(lines, row),
  };
}

/** Takes out the comments that say where each part comes from: skills don't differ by folders. */
function withoutPaths(code, inputs) {
  const comments = new Set(inputs.map((path) => `// ${path}`));
  return code
    .split('\n')
    .map((line) => (comments.has(line) ? '' : line))
    .join('\n');
}

async function build(esbuild, glue, base) {
  try {
    return await esbuild.build({
      stdin: { contents: glue, resolveDir: base, sourcefile: 'glue.js', loader: 'js' },
      absWorkingDir: base,
      outfile: join(base, 'skill.js'),
      bundle: true,
      write: false,
      metafile: true,
      sourcemap: 'external',
      sourcesContent: false,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['worker', 'browser', 'import'],
      target: 'es2022',
      charset: 'utf8',
      legalComments: 'none',
      logLevel: 'silent',
      tsconfigRaw: { compilerOptions: { target: 'ES2022', useDefineForClassFields: true } },
      plugins: [hostInterfaces()],
    });
  } catch (error) {
    if (!error.errors) throw error;
    throw new Problems(error.errors.map(problemOf));
  }
}

function hostInterfaces() {
  return {
    name: 'bailiwick',
    setup(builder) {
      builder.onResolve({ filter: /^@bailiwick\/skill$/ }, () => ({ path: join(SDK, 'index.js'), sideEffects: false }));
      builder.onResolve({ filter: HOST }, ({ path }) => ({ path, external: true, sideEffects: false }));
      builder.onResolve({ filter: /^bailiwick:lines$/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
    },
  };
}

function problemOf({ text, location, notes }) {
  const place = location && `${location.file}:${location.line}:${location.column + 1}`;
  const builtIn =
    /Could not resolve "(node:[^"]+|fs|path|os|http|https|crypto|child_process|stream|buffer|util|events|net|url|assert|zlib)"/.exec(
      text,
    );
  const cure = builtIn
    ? `\`${builtIn[1]}\` is a part of Node, which a skill doesn't run in. Use what JavaScript itself and the web have, or a package that does.`
    : /Could not resolve "[^."]/.test(text)
      ? 'Install the package with npm in the folder of the skill.'
      : notes?.[0]?.text;
  return new Problem(place, text.replace(/ \(.*\)$/, ''), cure);
}

// --- lines of the author's files, for stacks ---

/** The author's file and line of a line of the bundle. Bundles carry this function too. */
function placeOf({ files, lines }, row) {
  const at = lines.findLast(([first]) => first <= row);
  return at && at[1] >= 0 ? `${files[at[1]]}:${at[2] + row - at[0]}` : undefined;
}

/** Puts `placeOf` in place of an import, so that the lines before stay where they are. */
function withLines(code, lines) {
  const statement = new RegExp(`^import \\{ sourceLine(?: as (\\w+))? \\} from "${LINES}";$`, 'm');
  const found = statement.exec(code);
  if (!found) return code;
  const name = found[1] ?? 'sourceLine';
  return `${code.replace(statement, '')}\nfunction ${name}(row) {\n  return (${placeOf})(${JSON.stringify(lines)}, row);\n}\n`;
}

/** Runs of lines, as [first line of the bundle, file or -1, its line there], by a source map. */
function table({ sources, mappings }, base) {
  const files = sources.map((source) => relative(base, join(base, source)));
  const lines = [];
  const state = { source: 0, line: 0 };
  mappings.split(';').forEach((group, row) => {
    let first;
    for (const segment of group.split(',').filter(Boolean)) {
      const [, source = 0, line = 0] = decode(segment);
      state.source += source;
      state.line += line;
      first ??= [state.source, state.line];
    }
    if (first) push(lines, row + 1, isAuthors(files[first[0]]) ? first[0] : -1, first[1] + 1);
  });
  return { files: files.map((file) => (isAuthors(file) ? file : '')), lines };
}

const isAuthors = (file) =>
  !file.startsWith('..') && !file.includes('node_modules') && !file.startsWith('.build') && file !== 'glue.js';

function push(lines, row, file, line) {
  const last = lines.at(-1);
  const follows = last && last[1] === file && (file < 0 || last[2] + row - last[0] === line);
  if (!follows) lines.push([row, file, file < 0 ? 0 : line]);
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function decode(segment) {
  const out = [];
  let value = 0;
  let shift = 0;
  for (const letter of segment) {
    const digit = DIGITS.indexOf(letter);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    out.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return out;
}
