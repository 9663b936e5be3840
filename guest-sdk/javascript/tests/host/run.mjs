// Calls the component of skill.js beside it, with host.js for a host.

import assert from 'node:assert/strict';
import { asked } from './host.js';
import { tools } from './skill.js';

assert.deepEqual(await tools.all(), [
  '{"out":[1]}',
  'HostError | denied | no/no: denied: not granted | not granted',
  '[42,"no/no: limit: depth"]',
  'hi stop 2',
  'hi',
  '[{"approved":true},{"approved":false,"reason":"because"}]',
  'HostError | pending | the approval: pending: approval-1 | approval-1',
]);
assert.deepEqual(asked, [
  ['progress', 1n, 3n, 'half'],
  ['progress', 2n, undefined, ''],
  ['log', 'warn', 'part', 'careful'],
  ['call', { skill: 'a/b', tool: 'c', arguments: '{"x":1}' }],
  [
    'complete',
    {
      model: undefined,
      messages: [{ role: 'user', content: 'hello' }],
      maxTokens: 5,
      temperature: undefined,
      outputSchema: '{}',
    },
  ],
  [
    'complete',
    {
      model: undefined,
      messages: [{ role: 'user', content: 'hello' }],
      maxTokens: undefined,
      temperature: undefined,
      outputSchema: undefined,
    },
  ],
]);
console.log('every call was answered as it should be');
