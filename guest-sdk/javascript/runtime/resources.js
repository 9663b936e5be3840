import './console.js';
import { begin } from './stderr.js';
import { failure } from './provider.js';
import { NotFound } from './errors.js';

/** The interface `resources` of bailiwick:skill, from the author's functions. */
export function makeResources(resources) {
  const fixed = resources.filter(({ names }) => names.length === 0);
  const templates = resources.filter(({ names }) => names.length > 0);
  return {
    list: () => ({ tag: 'ok', val: fixed.map(({ about }) => ({ ...about })) }),
    templates: () => ({
      tag: 'ok',
      val: templates.map(({ about: { uri, ...rest } }) => ({ uriTemplate: uri, ...rest })),
    }),
    async read(uri) {
      begin();
      try {
        return { tag: 'ok', val: await readFirst(resources, uri) };
      } catch (error) {
        throw { payload: failure(error, 'failed') };
      }
    },
  };
}

async function readFirst(resources, uri) {
  for (const { about, run } of resources) {
    const values = match(about.uri, uri);
    if (values) return content(uri, about.mimeType, await run(...values));
  }
  throw new NotFound(`there is no resource \`${uri}\``);
}

/** The values of `{names}` in a template that an address fits, or undefined. */
export function match(template, uri) {
  const parts = template.split(/\{[^{}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const found = new RegExp(`^${parts.join('([^/?#]+)')}$`).exec(uri);
  return found?.slice(1).map(decodeURIComponent);
}

function content(uri, mimeType, answer) {
  const held = typeof answer === 'string' || answer instanceof Uint8Array ? { body: answer } : answer;
  if (typeof held?.body === 'string')
    return { uri, mimeType: held.mimeType ?? mimeType, body: { tag: 'text', val: held.body } };
  if (held?.body instanceof Uint8Array)
    return { uri, mimeType: held.mimeType ?? mimeType, body: { tag: 'blob', val: held.body } };
  throw new TypeError(`the resource \`${uri}\` should answer a string or a Uint8Array, or { body, mimeType }`);
}
