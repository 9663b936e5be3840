// Cuts HTML into tokens the way browsers do, as far as text, tags and attributes go. It
// never fails: what is no tag is text.

import { decode } from './entities.js';

/**
 * @typedef {{ kind: 'text', text: string }
 *   | { kind: 'start', name: string, attributes: Map<string, string>, closed: boolean }
 *   | { kind: 'end', name: string }} Token
 */

/** Elements whose content is no markup; that of the second kind still has entities. */
const RAW = new Set(['script', 'style', 'xmp', 'iframe', 'noembed', 'noframes', 'noscript']);
const RAW_WITH_ENTITIES = new Set(['title', 'textarea']);

/**
 * Most elements have no attributes, and share this.
 * @type {Map<string, string>}
 */
const NONE = new Map();

const TAG_NAME = /[a-zA-Z][^\s/>]*/y;
const ATTRIBUTE = /[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)))?/y;

/**
 * @param {string} html
 * @returns {Generator<Token>}
 */
export function* tokenize(html) {
  // Text begins at `from`. What stands before `at` was looked at already.
  let from = 0;
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open < 0) break;
    const markup = readMarkup(html, open);
    if (!markup) {
      at = open + 1;
      continue;
    }
    if (open > from) yield { kind: 'text', text: decode(html.slice(from, open)) };
    from = markup.end;
    if (markup.token) {
      yield markup.token;
      const raw =
        markup.token.kind === 'start' && !markup.token.closed ? rawContent(html, from, markup.token.name) : undefined;
      if (raw) {
        yield raw.token;
        from = raw.end;
      }
    }
    at = from;
  }
  if (from < html.length) yield { kind: 'text', text: decode(html.slice(from)) };
}

/** What begins with the `<` at this place, or undefined where it is text. */
function readMarkup(html, open) {
  const next = html[open + 1];
  if (next === '!' || next === '?') return { end: endOfDeclaration(html, open) };
  if (next === '/') return readEnd(html, open);
  return readStart(html, open);
}

function endOfDeclaration(html, open) {
  if (html.startsWith('<!--', open)) return after(html, '-->', open + 4);
  if (html.startsWith('<![CDATA[', open)) return after(html, ']]>', open);
  return after(html, '>', open);
}

function after(html, mark, from) {
  const found = html.indexOf(mark, from);
  return found < 0 ? html.length : found + mark.length;
}

function readEnd(html, open) {
  const name = match(TAG_NAME, html, open + 2);
  if (!name) return undefined;
  return { end: after(html, '>', open + 2 + name[0].length), token: { kind: 'end', name: name[0].toLowerCase() } };
}

function readStart(html, open) {
  const name = match(TAG_NAME, html, open + 1);
  if (!name) return undefined;
  let attributes = NONE;
  let at = open + 1 + name[0].length;
  for (;;) {
    const found = match(ATTRIBUTE, html, at);
    if (!found) break;
    const [whole, key, double, single, bare] = found;
    if (attributes === NONE) attributes = new Map();
    const lower = key.toLowerCase();
    // The first of two attributes of one name counts.
    if (!attributes.has(lower)) attributes.set(lower, decode(double ?? single ?? bare ?? ''));
    at += whole.length;
  }
  const end = after(html, '>', at);
  const closed = html.slice(at, end).includes('/');
  return { end, token: { kind: 'start', name: name[0].toLowerCase(), attributes, closed } };
}

/** The text up to the end tag of an element whose content is no markup. */
function rawContent(html, from, name) {
  const withEntities = RAW_WITH_ENTITIES.has(name);
  if (!withEntities && !RAW.has(name)) return undefined;
  const close = new RegExp(`</${name}(?=[\\s/>])`, 'gi');
  close.lastIndex = from;
  const end = close.exec(html)?.index ?? html.length;
  const text = html.slice(from, end);
  return { end, token: { kind: 'text', text: withEntities ? decode(text) : text } };
}

function match(expression, text, at) {
  expression.lastIndex = at;
  return expression.exec(text);
}
