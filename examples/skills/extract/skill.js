/**
 * Take structured data out of HTML: what a page says about itself, its headings, links
 * and tables, and any elements by a CSS selector. Broken HTML is read as browsers read
 * it. A page may have at most 1,000,000 characters.
 * @module
 */
import { ToolError } from '@bailiwick/skill';
import { elements, parse, rawTextOf, textOf } from './src/tree.js';
import { select as selected } from './src/selector.js';
import { readTable } from './src/tables.js';

/** @import { U8, U32 } from '@bailiwick/skill' */

const MAX_PAGE = 1_000_000;

/**
 * One `<meta>`, by its name or property.
 * @typedef {object} Meta
 * @property {string} name Such as `og:title`.
 * @property {string} content What it says.
 */

/**
 * What a page says about itself.
 * @typedef {object} Summary
 * @property {string} [title] Its `<title>`.
 * @property {string} [description] Its meta description, or else that of Open Graph.
 * @property {string} [language] The language that it says it is in, such as `en`.
 * @property {string} [canonical] The address that it wants to be known by.
 * @property {string} [image] The picture that stands for it.
 * @property {Meta[]} meta All of `<meta>` that has a name or property.
 */

/**
 * One heading.
 * @typedef {object} Heading
 * @property {U8} level 1 to 6.
 * @property {string} text The text without markup.
 * @property {string} [id] What a link to it uses after `#`.
 * @property {string[]} path The headings that it stands below, outermost first.
 */

/**
 * Where a link leads.
 * @typedef {'internal' | 'external' | 'fragment' | 'mail' | 'other'} LinkKind
 */

/**
 * One link.
 * @typedef {object} Link
 * @property {string} url Its address, made absolute where `base` was given.
 * @property {string} text The text that is to be clicked.
 * @property {LinkKind} kind Within the page's own host, elsewhere, or within the page; without `base`, relative addresses are internal.
 * @property {string} [title] The text that pointing at it shows.
 * @property {boolean} nofollow Whether it says that it doesn't speak for what it leads to.
 */

/**
 * A cell: with `typed`, numbers are numbers.
 * @typedef {{ tag: 'text', val: string } | { tag: 'number', val: number } | { tag: 'empty' }} Cell
 */

/**
 * One row, a cell for each column.
 * @typedef {object} Row
 * @property {Cell[]} cells
 */

/**
 * One table.
 * @typedef {object} Table
 * @property {string} [caption]
 * @property {string[]} columns A name for each column; `column 3` where the table gives none.
 * @property {Row[]} rows
 */

/**
 * One object of JSON-LD.
 * @typedef {object} Item
 * @property {string[]} types Its `@type`, such as `Product`.
 * @property {string} json The whole object as JSON.
 */

/**
 * A block of JSON-LD that could not be read.
 * @typedef {object} Broken
 * @property {U32} block Which one, from 1.
 * @property {string} reason
 */

/**
 * What was found of structured data.
 * @typedef {object} Findings
 * @property {Item[]} items
 * @property {Broken[]} broken
 */

/**
 * One element.
 * @typedef {object} Selected
 * @property {string} name Such as `a`.
 * @property {string} text The text that a reader sees.
 * @property {Meta[]} attributes
 */

/**
 * Says what a page is: title, description, language, canonical address, picture, and all
 * other metadata such as Open Graph. Take it first, to see what a page is about.
 * @param {string} html The page.
 * @returns {Summary}
 */
export function page(html) {
  const all = [...elements(read(html))];
  const meta = all
    .filter(({ name }) => name === 'meta')
    .map(metaOf)
    .filter((one) => one.name !== '');
  const about = (...names) => meta.find(({ name }) => names.includes(name.toLowerCase()))?.content;
  const title = all.find(({ name, parent }) => name === 'title' && parent.name !== 'svg');
  const canonical = all.find(({ name, attributes }) => name === 'link' && relations(attributes).includes('canonical'));
  return {
    title: (title && textOf(title)) || about('og:title'),
    description: about('description') ?? about('og:description', 'twitter:description'),
    language: all.find(({ name }) => name === 'html')?.attributes.get('lang'),
    canonical: canonical?.attributes.get('href'),
    image: about('og:image', 'og:image:url', 'twitter:image'),
    meta,
  };
}

/**
 * Lists the headings in order, each with those that it stands below.
 * @param {string} html The page, or a part of one.
 * @param {U8} [depth] The deepest level to list, 1 to 6; 6 unless given.
 * @returns {Heading[]}
 */
export function outline(html, depth = 6) {
  if (depth < 1 || depth > 6) throw new ToolError(`\`depth\` is ${depth}; expected 1 to 6`);
  const above = [];
  const found = [];
  for (const element of elements(read(html))) {
    const level = /^h[1-6]$/.test(element.name) ? Number(element.name[1]) : 7;
    if (level > depth) continue;
    const text = textOf(element);
    while (above.length > 0 && above.at(-1).level >= level) above.pop();
    found.push({ level, text, id: element.attributes.get('id'), path: above.map((one) => one.text) });
    above.push({ level, text });
  }
  return found;
}

/**
 * Lists the links of a page in order.
 * @param {string} html The page, or a part of one.
 * @param {string} [base] The address of the page: relative addresses are made absolute by it.
 * @param {LinkKind[]} [kinds] Only these kinds.
 * @returns {Link[]}
 */
export function links(html, base, kinds) {
  const root = read(html);
  const start = base === undefined ? undefined : baseOf(base);
  const found = [...elements(root)].filter(
    ({ name, attributes }) => (name === 'a' || name === 'area') && attributes.has('href'),
  );
  return found.map((element) => linkOf(element, start)).filter(({ kind }) => !kinds || kinds.includes(kind));
}

/**
 * Reads the tables of a page as rows with named columns. Cells that span several rows or
 * columns stand in each of them.
 * @param {object} options
 * @param {string} options.html The page, or a part of one.
 * @param {boolean} [options.typed] Read numbers such as `1,234.50` as numbers; false unless given.
 * @param {U32} [options.table] Only the table of this number, from 1.
 * @param {U32} [options.leastRows] Leave out tables with fewer rows.
 * @returns {Table[]}
 */
export function tables({ html, typed = false, table, leastRows = 0 }) {
  const all = [...elements(read(html))].filter(({ name }) => name === 'table');
  if (table !== undefined && (table < 1 || table > all.length)) {
    throw new ToolError(`\`table\` is ${table}; the page has ${all.length === 1 ? '1 table' : `${all.length} tables`}`);
  }
  const wanted = table === undefined ? all : [all[table - 1]];
  return wanted
    .map(readTable)
    .filter(({ rows }) => rows.length >= leastRows)
    .map(({ caption, header, rows }) => ({
      caption,
      columns: header,
      rows: rows.map((row) => rowOf(row, header.length, typed)),
    }));
}

/**
 * Reads the structured data of a page (JSON-LD): products, articles, events, recipes and
 * so on, as schema.org describes them. Objects of a `@graph` are listed one by one.
 * @param {string} html The page.
 * @param {string} [type] Only objects of this `@type`, such as `Product`.
 * @returns {Findings}
 */
export function structuredData(html, type) {
  const scripts = [...elements(read(html))].filter(
    ({ name, attributes }) => name === 'script' && /^application\/ld\+json\b/i.test(attributes.get('type') ?? ''),
  );
  const items = [];
  const broken = [];
  scripts.forEach((script, i) => {
    try {
      items.push(...objectsOf(JSON.parse(rawTextOf(script))));
    } catch (error) {
      broken.push({ block: i + 1, reason: error.message });
    }
  });
  return { items: items.filter(({ types }) => type === undefined || types.includes(type)), broken };
}

/**
 * Finds elements by a CSS selector. It can have names, `#id`, `.class`, `[attribute="value"]`
 * with all operators, `:first-child`, `:last-child`, `:only-child`, `:empty`, the
 * combinators blank, `>`, `+` and `~`, and commas.
 * @param {string} html The page, or a part of one.
 * @param {string} selector Such as `article .price`.
 * @param {U32} [limit] The most elements to give; 100 unless given.
 * @returns {Selected[]}
 */
export function select(html, selector, limit = 100) {
  return selected(read(html), selector)
    .slice(0, limit)
    .map((element) => ({
      name: element.name,
      text: textOf(element),
      attributes: Array.from(element.attributes, ([name, content]) => ({ name, content })),
    }));
}

/**
 * Gives the text that a reader sees, without markup, scripts and styles.
 * @param {string} html The page, or a part of one.
 * @returns {string}
 */
export function text(html) {
  return textOf(read(html));
}

// --- parts of these ---

function read(html) {
  if (html.length > MAX_PAGE)
    throw new ToolError(`the page has ${html.length} characters; at most ${MAX_PAGE} are read`);
  return parse(html);
}

function metaOf({ attributes }) {
  return { name: attributes.get('name') ?? attributes.get('property') ?? '', content: attributes.get('content') ?? '' };
}

const relations = (attributes) => (attributes.get('rel') ?? '').toLowerCase().split(/\s+/);

function baseOf(base) {
  const url = absolute(base);
  if (!url) throw new ToolError(`\`base\` is no absolute address: ${base}`);
  return url;
}

function absolute(href, base) {
  try {
    return new URL(href, base);
  } catch {
    return undefined;
  }
}

function linkOf(element, base) {
  const { attributes } = element;
  const href = attributes.get('href').trim();
  const url = base && absolute(href, base);
  return {
    url: url?.href ?? href,
    text: textOf(element) || attributes.get('aria-label') || '',
    kind: kindOf(href, url, base),
    title: attributes.get('title'),
    nofollow: relations(attributes).includes('nofollow'),
  };
}

function kindOf(href, url, base) {
  if (href.startsWith('#')) return 'fragment';
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(href)?.[1].toLowerCase();
  if (scheme === 'mailto') return 'mail';
  if (scheme && scheme !== 'http' && scheme !== 'https') return 'other';
  if (!scheme && !href.startsWith('//')) return 'internal';
  return url && url.host === base.host ? 'internal' : 'external';
}

function rowOf(row, width, typed) {
  return { cells: Array.from({ length: width }, (_, i) => cellOf(row[i] ?? '', typed)) };
}

/** A number with groups of three digits, or without; nothing that merely begins with one. */
const NUMBER = /^[+−-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?$/;

function cellOf(text, typed) {
  if (text === '') return { tag: 'empty' };
  if (typed && NUMBER.test(text)) return { tag: 'number', val: Number(text.replaceAll(',', '').replace('−', '-')) };
  return { tag: 'text', val: text };
}

function objectsOf(value) {
  if (Array.isArray(value)) return value.flatMap(objectsOf);
  if (typeof value !== 'object' || value === null) throw new ToolError('it is no object');
  if (Array.isArray(value['@graph'])) return value['@graph'].flatMap(objectsOf);
  const types = [value['@type'] ?? []].flat().map(String);
  return [{ types, json: JSON.stringify(value) }];
}
