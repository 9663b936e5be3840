// Stands in for a host, as its interfaces look from the side of JavaScript. It notes what
// it was asked.

export const asked = [];

const note = (what, answer) => {
  asked.push(what);
  return answer;
};

function refuse(tag, val) {
  throw Object.assign(new Error(tag), { payload: { tag, val } });
}

export const progress = { report: (...args) => note(['progress', ...args]) };
export const logging = { log: (...args) => note(['log', ...args]) };
export const skills = {
  call: (request) =>
    request.skill === 'no/no' ? refuse('denied', 'not granted') : note(['call', request], '{"out":[1]}'),
  callAll: (requests) =>
    requests.map(({ skill }) =>
      skill === 'no/no' ? { tag: 'err', val: { tag: 'limit', val: 'depth' } } : { tag: 'ok', val: '42' },
    ),
};
export const models = {
  complete: (request) =>
    note(['complete', request], { model: 'm', text: 'hi', finish: 'stop', inputTokens: 1n, outputTokens: 2n }),
};
export const approvals = {
  ask({ summary }) {
    if (summary === 'later') refuse('pending', 'approval-1');
    return summary === 'yes' ? { tag: 'approved' } : { tag: 'denied', val: 'because' };
  },
};
