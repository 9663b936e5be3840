// Writes the WIT of a skill, and puts beside it what it imports.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { escape } from './names.mjs';
import { Problem, Problems } from './problems.mjs';

/** The version of bailiwick:skill that this SDK is written against. */
export const SKILL = '0.1.0';

const HOST_EXPORTS = { provider: 'tools', prompts: 'prompts', resources: 'resources', workflow: 'workflow' };

/**
 * The interface of the author's tools. Beside the host's `tools`, which a provider exports,
 * it has another name: the engine's splicer never ends with two of one name.
 */
export const ownInterface = (skill) => (skill.provider ? 'functions' : 'tools');

/** The exports of the skill's world, by their full names. */
export function worldExports(skill) {
  const has = (key) => (Array.isArray(skill[key]) ? skill[key].length > 0 : Boolean(skill[key]));
  return Object.entries(HOST_EXPORTS)
    .filter(([key]) => has(key))
    .map(([, name]) => `bailiwick:skill/${name}@${SKILL}`);
}

/** @param {{ package: string, skill: any, imports: string[] }} what */
export function writeWit({ package: name, skill, imports }) {
  const lines = [`package ${name};`, ''];
  if (skill.tools.length > 0) lines.push(...toolsInterface(skill), '');
  lines.push('world skill {');
  lines.push(...imports.map((one) => `  import ${one};`));
  if (skill.tools.length > 0) lines.push(`  export ${ownInterface(skill)};`);
  lines.push(...worldExports(skill).map((one) => `  export ${one};`), '}', '');
  return lines.join('\n');
}

function toolsInterface(skill) {
  const { doc, types, tools } = skill;
  const blocks = [...types.map(typeLines), ...tools.map(toolLines)];
  const lines = [...docLines(doc), `interface ${ownInterface(skill)} {`];
  blocks.forEach((block, i) => {
    if (i > 0) lines.push('');
    lines.push(...block.map((line) => (line ? `  ${line}` : line)));
  });
  return [...lines, '}'];
}

function typeLines(type) {
  const head = docLines(type.doc);
  const name = escape(type.name);
  if (type.record)
    return [
      ...head,
      `record ${name} {`,
      ...fields(type.record, ({ wit, type: of }) => `${escape(wit)}: ${typeText(of)}`),
      '}',
    ];
  if (type.enum) return [...head, `enum ${name} {`, ...fields(type.enum, ({ wit }) => escape(wit)), '}'];
  if (type.flags) return [...head, `flags ${name} {`, ...fields(type.flags, ({ wit }) => escape(wit)), '}'];
  return [
    ...head,
    `variant ${name} {`,
    ...fields(type.variant, ({ wit, type: of }) => escape(wit) + (of ? `(${typeText(of)})` : '')),
    '}',
  ];
}

function fields(list, text) {
  return list.flatMap((one) => [...docLines(one.doc), `${text(one)},`]).map((line) => `  ${line}`);
}

function toolLines({ name, doc, params, result }) {
  const answer = `result<${result ? typeText(result) : '_'}, string>`;
  const head = [...docLines(doc)];
  if (params.length === 0) return [...head, `${escape(name)}: func() -> ${answer};`];
  return [
    ...head,
    `${escape(name)}: func(`,
    ...fields(params, ({ wit, type }) => `${escape(wit)}: ${typeText(type)}`),
    `) -> ${answer};`,
  ];
}

export function typeText(type) {
  if (typeof type === 'string') return type;
  if (type.ref) return escape(type.ref);
  if (type.list) return `list<${typeText(type.list)}>`;
  if (type.option) return `option<${typeText(type.option)}>`;
  return `tuple<${type.tuple.map(typeText).join(', ')}>`;
}

function docLines(doc) {
  return doc ? doc.split('\n').map((line) => (line ? `/// ${line}` : '///')) : [];
}

/**
 * Puts the skill's WIT into `folder`, with the packages that it needs from `libraries`:
 * folders of packages, one in each folder of theirs.
 */
export function placeWit(folder, text, libraries) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'deps'), { recursive: true });
  writeFileSync(join(folder, 'skill.wit'), text);
  const known = packagesIn(libraries);
  const wanted = references(text);
  const placed = new Set();
  while (wanted.length > 0) {
    const id = wanted.pop();
    if (placed.has(id)) continue;
    placed.add(id);
    const found = known.get(id);
    if (!found)
      throw new Problems([
        new Problem(
          undefined,
          `the host has no interfaces of ${id}`,
          'Import what `@bailiwick/skill` offers, or another version.',
        ),
      ]);
    cpSync(found.folder, join(folder, 'deps', id.replace(/[:@]/g, '-')), { recursive: true });
    wanted.push(...references(found.text));
  }
}

/** The other packages, such as `wasi:io@0.2.0`, that a text speaks of. */
function references(text) {
  const code = text.replace(/\/\/.*$/gm, '');
  return [...code.matchAll(/([a-z][a-z0-9-]*:[a-z][a-z0-9-]*)\/[a-z0-9-]+@([0-9][0-9A-Za-z.+-]*[0-9A-Za-z])/g)].map(
    ([, name, version]) => `${name}@${version}`,
  );
}

function packagesIn(libraries) {
  const known = new Map();
  for (const library of libraries) {
    for (const entry of readdirSync(library, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const folder = join(library, entry.name);
      const text = readdirSync(folder)
        .filter((name) => name.endsWith('.wit'))
        .map((name) => readFileSync(join(folder, name), 'utf8'))
        .join('\n');
      const id = /^package\s+([^;\s]+)\s*;/m.exec(text)?.[1];
      if (id) known.set(id, { folder, text });
    }
  }
  return known;
}
