// The selectors of CSS that say which elements are meant: `article h2, .price[data-sku]`.

import { ToolError } from '@bailiwick/skill';
import { elements } from './tree.js';

/** @import { Element } from './tree.js' */

/**
 * One element's description, and how it stands to the one before.
 * @typedef {{ combinator: ' ' | '>' | '+' | '~', tests: ((element: Element) => boolean)[] }} Step
 */

const COMBINATOR = /\s*([>+~])\s*|\s+/y;
const SIMPLE =
  /\*|([a-zA-Z][\w-]*)|#([\w-]+)|\.([\w-]+)|\[\s*([\w:-]+)\s*(?:([~^$*|]?=)\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*)?\]|:(first-child|last-child|only-child|empty)/y;

/**
 * The elements that a selector means, in the order of the page.
 * @param {Element} root
 * @param {string} selector
 * @returns {Element[]}
 */
export function select(root, selector) {
  const choices = read(selector);
  return [...elements(root)].filter((element) => choices.some((steps) => fits(element, steps, steps.length - 1)));
}

/** @returns {Step[][]} */
function read(text) {
  const choices = [];
  let steps = [step(' ')];
  let at = skipBlanks(text, 0);
  const wrong = (what) => new ToolError(`the selector ${text} ${what} at character ${at + 1}`);
  const finish = () => {
    if (steps.at(-1).tests.length === 0) throw wrong('lacks an element');
    choices.push(steps);
  };
  while (at < text.length) {
    const simple = matchAt(SIMPLE, text, at);
    if (simple) {
      steps.at(-1).tests.push(test(simple));
      at += simple[0].length;
      continue;
    }
    const comma = matchAt(/\s*,\s*/y, text, at);
    if (comma) {
      finish();
      steps = [step(' ')];
      at += comma[0].length;
      continue;
    }
    const combinator = matchAt(COMBINATOR, text, at);
    if (!combinator) throw wrong(`has an unknown \`${text[at]}\``);
    at += combinator[0].length;
    if (at === text.length && !combinator[1]) break;
    if (steps.at(-1).tests.length === 0) throw wrong('lacks an element');
    steps.push(step(combinator[1] ?? ' '));
  }
  finish();
  return choices;
}

const step = (combinator) => ({ combinator, tests: [] });
const skipBlanks = (text, at) => at + /^\s*/.exec(text.slice(at))[0].length;

function matchAt(expression, text, at) {
  expression.lastIndex = at;
  return expression.exec(text);
}

function test([whole, name, id, className, attribute, operator, double, single, bare, pseudo]) {
  if (whole === '*') return () => true;
  if (name) return (element) => element.name === name.toLowerCase();
  if (id) return (element) => element.attributes.get('id') === id;
  if (className) return (element) => words(element, 'class').includes(className);
  if (pseudo) return (element) => position(element, pseudo);
  const key = attribute.toLowerCase();
  if (!operator) return (element) => element.attributes.has(key);
  const wanted = double ?? single ?? bare;
  return (element) => element.attributes.has(key) && compare(element, key, operator, wanted);
}

const words = (element, key) => (element.attributes.get(key) ?? '').split(/\s+/);

function compare(element, key, operator, wanted) {
  const value = element.attributes.get(key);
  switch (operator) {
    case '=':
      return value === wanted;
    case '~=':
      return words(element, key).includes(wanted);
    case '^=':
      return wanted !== '' && value.startsWith(wanted);
    case '$=':
      return wanted !== '' && value.endsWith(wanted);
    case '*=':
      return wanted !== '' && value.includes(wanted);
    default:
      return value === wanted || value.startsWith(`${wanted}-`);
  }
}

const siblings = (element) => element.parent.children.filter((child) => typeof child !== 'string');

function position(element, pseudo) {
  if (pseudo === 'empty') return element.children.every((child) => typeof child === 'string' && child === '');
  const all = siblings(element);
  const isFirst = all[0] === element;
  const isLast = all.at(-1) === element;
  if (pseudo === 'first-child') return isFirst;
  return pseudo === 'last-child' ? isLast : isFirst && isLast;
}

/** Whether an element is what the steps up to `last` describe. */
function fits(element, steps, last) {
  const { combinator, tests } = steps[last];
  if (!tests.every((one) => one(element))) return false;
  if (last === 0) return true;
  const before = { ' ': ancestors, '>': parents, '+': previous, '~': earlier }[combinator](element);
  return before.some((one) => fits(one, steps, last - 1));
}

const parents = ({ parent }) => (parent?.parent ? [parent] : []);

function ancestors(element) {
  const found = [];
  for (let one = element.parent; one?.parent; one = one.parent) found.push(one);
  return found;
}

function earlier(element) {
  const all = siblings(element);
  return all.slice(0, all.indexOf(element));
}

const previous = (element) => earlier(element).slice(-1);
