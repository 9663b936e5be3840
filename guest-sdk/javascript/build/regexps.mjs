// The engine lacks the tables of Unicode, and with them `\\p{…}` in regular expressions.
// What stands in the code is written out as classes of characters here.

/**
 * @param {any} ts TypeScript's compiler
 * @param {(pattern: string, flags: string, options: object) => string} rewritePattern of regexpu-core
 * @param {string} code
 */
export function withoutProperties(ts, rewritePattern, code) {
  if (!/\\[pP]\{/.test(code)) return code;
  const file = ts.createSourceFile('skill.js', code, ts.ScriptTarget.ES2022, false, ts.ScriptKind.JS);
  const parts = [];
  let from = 0;
  const visit = (node) => {
    if (ts.isRegularExpressionLiteral(node)) {
      const start = node.getStart(file);
      parts.push(code.slice(from, start), rewritten(rewritePattern, node.text));
      from = node.end;
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return parts.join('') + code.slice(from);
}

function rewritten(rewritePattern, literal) {
  const end = literal.lastIndexOf('/');
  const [pattern, flags] = [literal.slice(1, end), literal.slice(end + 1)];
  if (!/\\[pP]\{/.test(pattern) || !/[uv]/.test(flags)) return literal;
  const options = {
    unicodePropertyEscapes: 'transform',
    unicodeSetsFlag: flags.includes('v') ? 'transform' : undefined,
  };
  return `/${rewritePattern(pattern, flags, options)}/${flags.replace('v', 'u')}`;
}
