import * as host from 'bailiwick:skill/progress@0.1.0';

export function report(done, total, message = '') {
  host.report(BigInt(Math.trunc(done)), total === undefined ? undefined : BigInt(Math.trunc(total)), String(message));
}
