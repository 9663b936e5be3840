// What can be wrong, as a person reads it: where, what, and what to do about it.

import { relative } from 'node:path';

/** The author's sources can't become a skill. */
export class Problems extends Error {
  constructor(list) {
    super(list.map(String).join('\n'));
    this.list = list;
  }
}

/** A tool that the build needs isn't there; `command` installs it. */
export class MissingTool extends Error {
  constructor(what, command) {
    super(command ? `${what}\n  Install it: ${command}` : what);
  }
}

/** One problem: `skill.js:3:7: error: message` and, on its own line, the cure. */
export class Problem {
  constructor(place, message, cure, level = 'error') {
    Object.assign(this, { place, message, cure, level });
  }

  toString() {
    const at = this.place ? `${this.place}: ` : '';
    return `${at}${this.level}: ${this.message}${this.cure ? `\n  ${this.cure}` : ''}`;
  }
}

/** Where a node of TypeScript's tree stands: `file:line:column`, the file as seen from `base`. */
export function placeOf(ts, base, node) {
  const file = node.getSourceFile();
  const { line, character } = ts.getLineAndCharacterOfPosition(file, node.getStart(file));
  return `${relative(base, file.fileName)}:${line + 1}:${character + 1}`;
}
