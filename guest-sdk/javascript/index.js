export { ToolError, InvalidArguments, NotFound } from './runtime/errors.js';
export { HostError } from './host/error.js';
export * as progress from './host/progress.js';
export * as log from './host/log.js';
export * as skills from './host/skills.js';
export * as models from './host/models.js';
export * as approvals from './host/approvals.js';
export * as state from './host/state.js';
export * as counters from './host/counters.js';
export * as files from './host/files.js';
export * as config from './host/config.js';

/** Marks an object as the provider of tools that are known only at run time. */
export function toolProvider(provider) {
  return provider;
}
