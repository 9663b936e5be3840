import assert from 'node:assert/strict';
import test from 'node:test';
import { camel, escape, kebab } from '../build/names.mjs';

test('names become those of WIT', () => {
  const cases = {
    text: 'text',
    wordCount: 'word-count',
    word_count: 'word-count',
    WordCount: 'word-count',
    HTMLTable: 'html-table',
    parseHTML: 'parse-html',
    h1Text: 'h1-text',
    level_2: 'level2',
    x: 'x',
    _hidden: 'hidden',
    'very-thin': 'very-thin',
    toBase64: 'to-base64',
    URL: 'url',
  };
  for (const [name, wit] of Object.entries(cases)) assert.equal(kebab(name), wit, name);
});

test('what no name of WIT can be is told', () => {
  for (const name of ['größe', 'a b', '$', '2nd', '', '_']) assert.equal(kebab(name), undefined, name);
});

test('the glue has names in camel case', () => {
  assert.equal(camel('very-thin'), 'veryThin');
  assert.equal(camel('level2'), 'level2');
});

test('keywords are escaped', () => {
  assert.equal(escape('type'), '%type');
  assert.equal(escape('text'), 'text');
});
