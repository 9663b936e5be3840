import './console.js';
import { begin } from './stderr.js';
import { failure } from './provider.js';
import { InvalidArguments, NotFound } from './errors.js';

/** The interface `prompts` of bailiwick:skill, from the author's functions. */
export function makePrompts(prompts) {
  return {
    list: () => ({ tag: 'ok', val: prompts.map(({ about }) => about) }),
    async get(name, sent) {
      begin();
      try {
        const prompt = prompts.find(({ about }) => about.name === name);
        if (!prompt)
          throw new NotFound(`there is no prompt \`${name}\`: there are ${names(prompts.map(({ about }) => about))}`);
        const answer = await prompt.run(...argumentsOf(prompt.about, new Map(sent)));
        return { tag: 'ok', val: content(prompt.about, answer) };
      } catch (error) {
        throw { payload: failure(error, 'invalid-arguments') };
      }
    },
  };
}

function argumentsOf(about, sent) {
  for (const name of sent.keys()) {
    if (!about.arguments.some((one) => one.name === name)) {
      throw new InvalidArguments(
        `\`${about.name}\` has no argument \`${name}\`: it has ${names(about.arguments) || 'none'}`,
      );
    }
  }
  return about.arguments.map(({ name, required }) => {
    if (required && !sent.has(name)) throw new InvalidArguments(`\`${about.name}\` needs the argument \`${name}\``);
    return sent.get(name);
  });
}

const names = (list) => list.map(({ name }) => `\`${name}\``).join(', ');

/** A text is what the user says; an array is a conversation; an object has both and more. */
function content(about, answer) {
  const { description = about.description, messages } =
    Array.isArray(answer) || typeof answer === 'string' ? { messages: answer } : (answer ?? {});
  const turns = typeof messages === 'string' ? [{ role: 'user', text: messages }] : messages;
  if (!Array.isArray(turns) || !turns.every(isTurn)) {
    throw new TypeError(
      `the prompt \`${about.name}\` should answer a text or messages such as { role: 'user', text: '…' }`,
    );
  }
  return { description, messages: turns.map(({ role, text }) => ({ role, text })) };
}

const isTurn = (turn) => (turn?.role === 'user' || turn?.role === 'assistant') && typeof turn.text === 'string';
