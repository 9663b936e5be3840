import * as host from 'bailiwick:skill/approvals@0.1.0';
import { asking } from './error.js';

export function ask(summary, details = {}) {
  const answer = asking('the approval', () => host.ask({ summary, details: JSON.stringify(details) }));
  return answer.tag === 'approved' ? { approved: true } : { approved: false, reason: answer.val };
}
