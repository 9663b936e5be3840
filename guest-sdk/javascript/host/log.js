import * as host from 'wasi:logging/logging@0.1.0-draft';

const at =
  (level) =>
  (message, context = '') =>
    host.log(level, context, String(message));

export const trace = /* @__PURE__ */ at('trace');
export const debug = /* @__PURE__ */ at('debug');
export const info = /* @__PURE__ */ at('info');
export const warn = /* @__PURE__ */ at('warn');
export const error = /* @__PURE__ */ at('error');
