import { approvals, log, models, progress, skills } from '@bailiwick/skill';

/** Answers how the host's interfaces were seen from here. @returns {string[]} */
export function all() {
  const seen = [];
  progress.report(1.7, 3, 'half');
  progress.report(2);
  log.warn('careful', 'part');
  seen.push(JSON.stringify(skills.call('a/b', 'c', { x: 1 })));
  seen.push(fault(() => skills.call('no/no')));
  seen.push(
    JSON.stringify(skills.callAll([{ skill: 'a/b' }, { skill: 'no/no' }]).map(({ ok, error }) => ok ?? error?.message)),
  );
  const { text, finish, outputTokens } = models.complete({
    messages: [{ role: 'user', content: 'hello' }],
    maxTokens: 5,
    outputSchema: {},
  });
  seen.push(`${text} ${finish} ${outputTokens}`);
  seen.push(models.complete('hello').text);
  seen.push(JSON.stringify([approvals.ask('yes', { n: 1 }), approvals.ask('no')]));
  seen.push(fault(() => approvals.ask('later')));
  return seen;
}

/** @param {() => unknown} call */
function fault(call) {
  try {
    return `no fault: ${call()}`;
  } catch (error) {
    const { name, kind, message, detail } = /** @type {any} */ (error);
    return [name, kind, message, detail].join(' | ');
  }
}
