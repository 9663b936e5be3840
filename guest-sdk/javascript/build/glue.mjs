// Writes the module between the engine and the author's: it exports what the world says,
// and hands every call to the runtime with the types that it has.

import { camel } from './names.mjs';
import { ownInterface, SKILL } from './wit.mjs';

/** @param {{ skill: any, source: string, runtime: (file: string) => string }} what */
export function writeGlue({ skill, source, runtime }) {
  const lines = [`import * as author from ${JSON.stringify(source)};`];
  const offer = (name, code, file, functions) => {
    lines.push(
      `import { ${functions.join(', ')} } from ${JSON.stringify(runtime(file))};`,
      code,
      `export { ${name.local} as ${JSON.stringify(name.exported)} };`,
    );
  };
  const ours = (name) => ({ local: `exported_${name}`, exported: `bailiwick:skill/${name}@${SKILL}` });
  if (skill.tools.length > 0)
    offer({ local: 'exported_own', exported: ownInterface(skill) }, tools(skill), 'tools.js', ['makeTool', 'table']);
  if (skill.provider)
    offer(ours('tools'), `const exported_tools = makeProvider(author.${skill.provider.js});`, 'provider.js', [
      'makeProvider',
    ]);
  if (skill.prompts.length > 0)
    offer(ours('prompts'), list('prompts', 'makePrompts', skill.prompts.map(prompt)), 'prompts.js', ['makePrompts']);
  if (skill.resources.length > 0)
    offer(ours('resources'), list('resources', 'makeResources', skill.resources.map(resource)), 'resources.js', [
      'makeResources',
    ]);
  if (skill.workflow)
    offer(ours('workflow'), `const exported_workflow = makeWorkflow(author.${skill.workflow.js});`, 'workflow.js', [
      'makeWorkflow',
    ]);
  return `${lines.join('\n')}\n`;
}

function tools({ tools: all, types }) {
  const entries = all.map(
    (tool) =>
      `  ${JSON.stringify(camel(tool.name))}: makeTool(author.${tool.js}, ${JSON.stringify(describe(tool))}, types),`,
  );
  return `const types = table(${JSON.stringify(types.map(slim))});\nconst exported_own = {\n${entries.join('\n')}\n};`;
}

const list = (name, make, entries) => `const exported_${name} = ${make}([\n  ${entries.join(',\n  ')},\n]);`;

function prompt({ js, name, doc, args }) {
  const about = {
    name,
    description: doc || undefined,
    arguments: args.map(({ name: of, doc: text, required }) => ({
      name: of,
      description: text || undefined,
      required,
    })),
  };
  return `{ run: author.${js}, about: ${JSON.stringify(about)} }`;
}

function resource({ js, name, doc, uri, mimeType, names }) {
  const about = { uri, name, description: doc || undefined, mimeType };
  return `{ run: author.${js}, about: ${JSON.stringify(about)}, names: ${JSON.stringify(names)} }`;
}

const describe = ({ name, params, result, spread }) => ({
  name,
  spread,
  params: params.map(({ name: of, type }) => ({ name: of, type })),
  result,
});

/** A named type without what is only for people. */
function slim(type) {
  const cut = (cases) => cases?.map(({ name, js, wit, type: of }) => ({ name, js, wit, type: of }));
  return {
    name: type.name,
    record: cut(type.record),
    enum: cut(type.enum),
    flags: cut(type.flags),
    variant: cut(type.variant),
  };
}
