import * as host from 'bailiwick:skill/skills@0.1.0';
import { asking, hostError } from './error.js';

export function call(skill, tool, args = {}) {
  return JSON.parse(asking(named(skill, tool), () => host.call(request(skill, tool, args))));
}

export function callAll(requests) {
  const answers = host.callAll(requests.map(({ skill, tool, arguments: args = {} }) => request(skill, tool, args)));
  return answers.map((answer, i) =>
    answer.tag === 'ok'
      ? { ok: JSON.parse(answer.val) }
      : { error: hostError(named(requests[i].skill, requests[i].tool), answer.val) },
  );
}

const request = (skill, tool, args) => ({ skill, tool, arguments: JSON.stringify(args) });
const named = (skill, tool) => (tool ? `${skill} (${tool})` : skill);
