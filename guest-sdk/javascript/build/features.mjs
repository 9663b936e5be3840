// Which parts of the engine a bundle uses. Those that it doesn't are taken out, so that
// the component doesn't import clocks, random numbers or requests that nobody asked for.

const ALWAYS = {
  crypto: 'random',
  fetch: 'http',
  performance: 'clocks',
  setTimeout: 'clocks',
  setInterval: 'clocks',
  AbortSignal: 'clocks',
};

/** What can be had of `Date` without knowing what time it is. */
const TIMELESS = new Set(['UTC', 'parse', 'prototype', 'length', 'name']);
const GLOBALS = new Set(['globalThis', 'self']);

/** @returns {string[]} some of `clocks`, `random` and `http`, in this order */
export function featuresOf(ts, code) {
  const name = '/skill.js';
  const file = ts.createSourceFile(name, code, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  const host = {
    getSourceFile: (path) => (path === name ? file : undefined),
    getDefaultLibFileName: () => '',
    writeFile() {},
    getCurrentDirectory: () => '/',
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    fileExists: (path) => path === name,
    readFile: () => undefined,
  };
  const options = {
    allowJs: true,
    noLib: true,
    noResolve: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    types: [],
  };
  const checker = ts.createProgram([name], options, host).getTypeChecker();
  const found = new Set();
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      const feature = featureOf(ts, node, (one) => isGlobal(ts, checker, one));
      if (feature) found.add(feature);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return ['clocks', 'random', 'http'].filter((feature) => found.has(feature));
}

function featureOf(ts, node, isGlobalName) {
  const { parent } = node;
  const property = ts.isPropertyAccessExpression(parent) && parent.name === node;
  // `globalThis.fetch` is `fetch`; any other property of that name is the author's.
  if (property && !(ts.isIdentifier(parent.expression) && GLOBALS.has(parent.expression.text))) return undefined;
  if (!property && !isGlobalName(node)) return undefined;
  const whole = property ? parent : node;
  if (node.text === 'Math') return usesRandom(ts, whole) ? 'random' : undefined;
  if (node.text === 'Date') return readsClock(ts, whole) ? 'clocks' : undefined;
  return Object.hasOwn(ALWAYS, node.text) ? ALWAYS[node.text] : undefined;
}

function usesRandom(ts, node) {
  const member = memberOf(ts, node);
  return member === undefined ? !isOnlyAsked(ts, node) : member === 'random';
}

function readsClock(ts, node) {
  const { parent } = node;
  if (ts.isNewExpression(parent) && parent.expression === node) return !parent.arguments?.length;
  const member = memberOf(ts, node);
  return member === undefined ? !isOnlyAsked(ts, node) : !TIMELESS.has(member);
}

function memberOf(ts, node) {
  const { parent } = node;
  return ts.isPropertyAccessExpression(parent) && parent.expression === node ? parent.name.text : undefined;
}

/** `typeof Date` and `x instanceof Date` use nothing of it. */
function isOnlyAsked(ts, { parent }) {
  return (
    ts.isTypeOfExpression(parent) ||
    (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword)
  );
}

function isGlobal(ts, checker, node) {
  const { parent } = node;
  const isKey =
    (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isPropertyDeclaration(parent)) &&
    parent.name === node;
  if (isKey || (ts.isBindingElement(parent) && parent.propertyName === node)) return false;
  if (ts.isExportSpecifier(parent) || ts.isImportSpecifier(parent)) return false;
  const symbol = ts.isShorthandPropertyAssignment(parent)
    ? checker.getShorthandAssignmentValueSymbol(parent)
    : checker.getSymbolAtLocation(node);
  return !symbol;
}
