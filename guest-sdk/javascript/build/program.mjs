// Reads the author's files with TypeScript's compiler, JavaScript's too: its types stand
// in doc comments.

import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem, Problems } from './problems.mjs';

const SDK = join(dirname(fileURLToPath(import.meta.url)), '..');

/** @returns {{ ts: any, checker: any, main: any, sources: any[], base: string }} */
export function readProgram(ts, source, base) {
  const options = {
    allowJs: true,
    checkJs: true,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    lib: ['lib.es2024.d.ts', 'lib.webworker.d.ts'],
    types: [],
    paths: { '@bailiwick/skill': [join(SDK, 'index.d.ts')] },
  };
  const program = ts.createProgram([source], options);
  const main = program.getSourceFile(source);
  if (!main)
    throw new Problems([
      new Problem(
        relative(base, source),
        'the file is missing',
        'Name the file of the tools as `source` under `[build]` in skill.toml.',
      ),
    ]);
  const sources = program.getSourceFiles().filter((file) => isAuthors(program, file));
  refuseErrors(ts, program, sources, base);
  return { ts, checker: program.getTypeChecker(), main, sources, base };
}

function isAuthors(program, file) {
  return !file.isDeclarationFile && !program.isSourceFileFromExternalLibrary(file);
}

/**
 * Syntax has to be right everywhere, and types in TypeScript. In JavaScript, only what
 * stands in doc comments is checked: the code there is the author's affair.
 */
function refuseErrors(ts, program, sources, base) {
  const problems = [];
  for (const file of sources) {
    const found = [...program.getSyntacticDiagnostics(file)];
    if (found.length === 0) {
      found.push(
        ...program.getSemanticDiagnostics(file).filter((one) => isTypeScript(file) || isInComment(file, one.start)),
      );
    }
    problems.push(...found.map((one) => problemOf(ts, base, file, one)));
  }
  if (problems.length > 0) throw new Problems(problems);
}

const isTypeScript = (file) => /\.[cm]?tsx?$/.test(file.fileName);

function isInComment(file, at) {
  const before = file.text.slice(0, at);
  return before.lastIndexOf('/**') > before.lastIndexOf('*/');
}

function problemOf(ts, base, file, { start, messageText }) {
  const { line, character } = ts.getLineAndCharacterOfPosition(file, start);
  const place = `${relative(base, file.fileName)}:${line + 1}:${character + 1}`;
  return new Problem(place, ts.flattenDiagnosticMessageText(messageText, '\n  '));
}
