// Makes a tree of tokens. Where end tags are missing it closes what browsers close: a new
// item ends the one before, a new cell its neighbour.

import { ToolError } from '@bailiwick/skill';
import { tokenize } from './tokenizer.js';

/**
 * @typedef {object} Element
 * @property {string} name
 * @property {Map<string, string>} attributes
 * @property {(Element | string)[]} children
 * @property {Element | undefined} parent
 */

const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));

/** What a start tag closes, and where looking for it ends. */
const CLOSES = [
  { starts: ['li'], closes: ['li'], within: ['ul', 'ol', 'menu'] },
  { starts: ['dt', 'dd'], closes: ['dt', 'dd'], within: ['dl'] },
  { starts: ['td', 'th'], closes: ['td', 'th'], within: ['tr', 'table'] },
  { starts: ['tr'], closes: ['tr', 'td', 'th'], within: ['table', 'thead', 'tbody', 'tfoot'] },
  {
    starts: ['thead', 'tbody', 'tfoot'],
    closes: ['thead', 'tbody', 'tfoot', 'tr', 'td', 'th', 'caption', 'colgroup'],
    within: ['table'],
  },
  { starts: ['option', 'optgroup'], closes: ['option'], within: ['select', 'datalist'] },
];

const ENDS_PARAGRAPH = new Set(
  'address article aside blockquote details div dl fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr main nav ol p pre section table ul'.split(
    ' ',
  ),
);
const HEADING = /^h[1-6]$/;

/** The engine has some 100 MB for its objects, and elements take a third of a kilobyte each. */
const MAX_ELEMENTS = 150_000;

/** Deeper than this, elements become neighbours: no page for people is. */
const MAX_DEPTH = 400;

/**
 * @param {string} html
 * @returns {Element}
 */
export function parse(html) {
  const root = element('#document', new Map(), undefined);
  let current = root;
  let depth = 0;
  let count = 0;
  const add = (name, attributes) => {
    count += 1;
    if (count > MAX_ELEMENTS) throw new ToolError(`the page has more than ${MAX_ELEMENTS} elements`);
    const made = element(name, attributes, current);
    current.children.push(made);
    return made;
  };
  const open = (name, attributes) => {
    const made = add(name, attributes);
    if (depth < MAX_DEPTH) {
      current = made;
      depth += 1;
    }
  };
  const closeTo = (target) => {
    while (current !== target) {
      current = current.parent;
      depth -= 1;
    }
  };
  for (const token of tokenize(html)) {
    if (token.kind === 'text') {
      current.children.push(token.text);
    } else if (token.kind === 'start') {
      for (let last = implied(current, token.name); last; last = implied(current, token.name)) closeTo(last.parent);
      const { name, attributes } = token;
      if (VOID.has(name)) add(name, attributes);
      else open(name, attributes);
    } else {
      const last = ancestor(current, (one) => one.name === token.name);
      if (last) closeTo(last.parent);
    }
  }
  return root;
}

function element(name, attributes, parent) {
  return { name, attributes, children: [], parent };
}

/** The open element that a start tag ends without saying so. */
function implied(current, name) {
  if (ENDS_PARAGRAPH.has(name) && current.name === 'p') return current;
  if (HEADING.test(name) && HEADING.test(current.name)) return current;
  const rule = CLOSES.find(({ starts }) => starts.includes(name));
  if (!rule) return undefined;
  const found = ancestor(current, (one) => rule.closes.includes(one.name) || rule.within.includes(one.name));
  return found && rule.closes.includes(found.name) ? found : undefined;
}

function ancestor(from, test) {
  for (let one = from; one.parent; one = one.parent) {
    if (test(one)) return one;
  }
  return undefined;
}

/**
 * All elements below one, in the order of the page.
 * @param {Element} root
 * @returns {Generator<Element>}
 */
export function* elements(root) {
  const rest = [root];
  while (rest.length > 0) {
    const one = rest.pop();
    if (one !== root) yield one;
    for (let i = one.children.length - 1; i >= 0; i -= 1) {
      if (typeof one.children[i] !== 'string') rest.push(one.children[i]);
    }
  }
}

const SILENT = new Set(['script', 'style', 'template', 'noscript', 'head']);
const APART = new Set(('br td th li dt dd option ' + [...ENDS_PARAGRAPH].join(' ')).split(' '));

/**
 * The text that a reader sees, its white space as one blank.
 * @param {Element} root
 */
export function textOf(root) {
  return rawTextOf(root, SILENT).replace(/\s+/g, ' ').trim();
}

/**
 * The text as it stands, such as that of a script.
 * @param {Element} root
 * @param {Set<string>} [without] elements to leave out
 */
export function rawTextOf(root, without = new Set()) {
  const parts = [];
  const rest = [root];
  while (rest.length > 0) {
    const one = rest.pop();
    if (typeof one === 'string') {
      parts.push(one);
      continue;
    }
    if (one !== root && without.has(one.name)) continue;
    if (APART.has(one.name)) {
      parts.push(' ');
      if (one !== root) rest.push(' ');
    }
    if (one.name === 'img' && without.size > 0) parts.push(one.attributes.get('alt') ?? '');
    for (let i = one.children.length - 1; i >= 0; i -= 1) rest.push(one.children[i]);
  }
  return parts.join('');
}
