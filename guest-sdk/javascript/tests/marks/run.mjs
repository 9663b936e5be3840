// Calls the component of tests/wit/marks.js.

import assert from 'node:assert/strict';
import * as skill from './skill.js';

const prompts = skill['bailiwick:skill/prompts@0.1.0'];
const resources = skill['bailiwick:skill/resources@0.1.0'];
const workflow = skill['bailiwick:skill/workflow@0.1.0'];
const provider = skill['bailiwick:skill/tools@0.1.0'];

const failure = async (call) => {
  try {
    await call();
  } catch (error) {
    return error.payload;
  }
  return assert.fail('it did not fail');
};

assert.deepEqual(await prompts.list(), [
  {
    name: 'summary',
    description: 'Asks for a summary.',
    arguments: [
      { name: 'topic', description: 'what about', required: true },
      { name: 'tone', description: 'how it should sound', required: false },
    ],
  },
]);
assert.deepEqual((await prompts.get('summary', [['topic', 'tea']])).messages, [
  { role: 'user', text: 'Sum up tea, plainly.' },
]);
assert.deepEqual(await failure(() => prompts.get('summary', [])), {
  tag: 'invalid-arguments',
  val: '`summary` needs the argument `topic`',
});
assert.equal((await failure(() => prompts.get('nope', []))).tag, 'not-found');

assert.deepEqual(
  (await resources.list()).map(({ uri, mimeType }) => [uri, mimeType]),
  [['notes://today', 'text/markdown']],
);
assert.deepEqual(
  (await resources.templates()).map(({ uriTemplate }) => uriTemplate),
  ['notes://day/{date}'],
);
assert.deepEqual((await resources.read('notes://today')).body, { tag: 'text', val: '# Today' });
const { body } = await resources.read('notes://day/2026-01%2F02');
assert.equal(new TextDecoder().decode(body.val), '2026-01/02');
assert.equal((await failure(() => resources.read('notes://week'))).tag, 'not-found');

assert.equal(await workflow.run('{"topic": "tea"}'), '{"done":"tea"}');
assert.equal((await failure(() => workflow.run('tea'))).tag, 'invalid-input');

assert.deepEqual(await provider.list(), [
  { name: 'now', description: undefined, inputSchema: '{"type":"object"}', outputSchema: undefined },
]);
assert.equal(await provider.call('now', '{}'), '"now"');
assert.equal(await skill.functions.echo('a'), 'a');
console.log('every call was answered as it should be');
