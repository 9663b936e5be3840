import { toolProvider } from '@bailiwick/skill';

/**
 * Asks for a summary.
 * @prompt
 * @param {string} topic what about
 * @param {string} [tone] how it should sound
 */
export function summary(topic, tone) {
  return `Sum up ${topic}, ${tone ?? 'plainly'}.`;
}

/**
 * What there is today.
 * @resource notes://today text/markdown
 */
export function today() {
  return '# Today';
}

/**
 * A day's notes.
 * @resource notes://day/{date}
 * @param {string} date
 */
export function day(date) {
  return new TextEncoder().encode(date);
}

/**
 * Does it all.
 * @workflow
 * @param {{ topic: string }} input
 */
export async function run(input) {
  return { done: input.topic };
}

/** Says what it hears: a tool that is known before. @param {string} text What it hears. */
export function echo(text) {
  return text;
}

export const provider = toolProvider({
  list: () => [{ name: 'now', inputSchema: { type: 'object' } }],
  call: (name) => name,
});
