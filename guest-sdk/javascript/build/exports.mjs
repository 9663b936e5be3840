// Finds what the author's module offers: tools, prompts, resources, a workflow, and tools
// that are listed at run time.

import { kebab } from './names.mjs';
import { Problem, placeOf } from './problems.mjs';
import { Types } from './types.mjs';

/** Tags of doc comments that say what an exported function is, if it is no tool. */
const MARKS = ['prompt', 'resource', 'workflow', 'internal'];

/**
 * @returns {{ doc: string, tools: any[], prompts: any[], resources: any[], workflow: any,
 *   provider: any, types: any[], warnings: Problem[] }} or throws `Problems`
 */
export function readExports(program) {
  const { ts, checker, main, base } = program;
  const problems = [];
  const module = checker.getSymbolAtLocation(main);
  const symbols = inOrder(module ? checker.getExportsOfModule(module) : []);
  const reader = new Reader(program, problems, new Set(symbols.filter(isValue(ts)).map(({ name }) => kebab(name))));
  for (const symbol of symbols) reader.read(symbol);
  reader.refuseTwins();
  if (problems.length === 0 && reader.isEmpty()) {
    problems.push(
      new Problem(
        shortPlace(main, base),
        'nothing is exported, so there is no tool',
        'Write `export` before a function.',
      ),
    );
  }
  return { ...reader.found, doc: fileDoc(ts, main), types: reader.types.all(), warnings: reader.warnings, problems };
}

const shortPlace = (file, base) => file.fileName.slice(base.length + 1);

/** Whether an export is there when the code runs, as no type is. */
const isValue = (ts) => (symbol) => (symbol.flags & (ts.SymbolFlags.Value | ts.SymbolFlags.Alias)) !== 0;

/** As they stand in the source; TypeScript has functions before everything else. */
function inOrder(symbols) {
  const start = (symbol) => symbol.declarations?.[0]?.pos ?? 0;
  return [...symbols].sort((a, b) => start(a) - start(b));
}

class Reader {
  constructor(program, problems, reserved) {
    Object.assign(this, program);
    this.problems = problems;
    this.warnings = [];
    this.types = new Types({ ...program, problems, reserved });
    this.found = { tools: [], prompts: [], resources: [], workflow: undefined, provider: undefined };
  }

  isEmpty() {
    const { tools, prompts, resources, workflow, provider } = this.found;
    return tools.length + prompts.length + resources.length === 0 && !workflow && !provider;
  }

  read(exported) {
    const { ts, checker } = this;
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    if (!(symbol.flags & ts.SymbolFlags.Value)) return;
    const node = symbol.valueDeclaration ?? symbol.declarations?.[0];
    if (!node) return;
    const type = checker.getTypeOfSymbol(symbol);
    if (this.#isProvider(type)) {
      this.found.provider = { js: exported.name };
      return;
    }
    const signatures = type.getCallSignatures();
    if (signatures.length === 0) return this.#noFunction(exported, symbol, node);
    if (exported.name === 'default')
      return this.#fail(node, 'the default export has no name', 'Export it by name: `export function name(…)`.');
    if (signatures.length > 1)
      return this.#fail(
        node,
        `\`${exported.name}\` has ${signatures.length} signatures`,
        'A tool has one. Make its parameters optional, or export several functions.',
      );
    if (signatures[0].typeParameters)
      return this.#fail(node, `\`${exported.name}\` has type parameters`, 'A tool says which types it takes.');
    this.#function({ name: exported.name, symbol, node, signature: signatures[0] });
  }

  #function(it) {
    const mark = this.#mark(it.node);
    if (mark?.name === 'internal') return;
    const wit = kebab(it.name);
    if (!wit)
      return this.#fail(
        it.node,
        `\`${it.name}\` can't be a name in WIT`,
        'Use letters, digits and underscores, beginning with a letter.',
      );
    const doc = this.#doc(it.symbol);
    const what = { js: it.name, name: wit, doc, place: placeOf(this.ts, this.base, it.node) };
    if (!mark) return this.#tool(it, what);
    if (mark.name === 'prompt') return this.#prompt(it, what);
    if (mark.name === 'resource') return this.#resource(it, what, mark.text);
    return this.#workflow(it, what);
  }

  #tool(it, what) {
    if (!what.doc) {
      this.warnings.push(
        new Problem(
          what.place,
          `the tool \`${it.name}\` has no doc comment, so nobody can know what it is for`,
          'Write above it, in `/** … */`, what it does and when to use it.',
          'warning',
        ),
      );
    }
    const spread = this.#spread(it);
    const params = spread ?? it.signature.parameters.map((parameter, i) => this.#parameter(parameter, it, i));
    const twin = params.find(({ wit }, i) => params.findIndex((other) => other.wit === wit) !== i);
    if (twin) this.#fail(it.node, `two parameters of \`${it.name}\` are \`${twin.wit}\` in WIT`, 'Rename one of them.');
    this.found.tools.push({ ...what, spread: Boolean(spread), params, result: this.#result(it, what) });
  }

  /** A single parameter that is taken apart, as in `({ text, limit })`: each part is one. */
  #spread({ signature, node }) {
    const { ts, checker } = this;
    const [parameter] = signature.parameters;
    const declaration = parameter?.valueDeclaration;
    if (
      signature.parameters.length !== 1 ||
      !declaration ||
      !ts.isParameter(declaration) ||
      !ts.isObjectBindingPattern(declaration.name)
    )
      return undefined;
    const type = checker.getNonNullableType(checker.getTypeOfSymbol(parameter));
    if (type.flags & ts.TypeFlags.Any || type.getProperties().length === 0) return undefined;
    return type.getProperties().map((property) => {
      const at = {
        node: property.valueDeclaration ?? node,
        name: kebab(property.name) ?? 'parameter',
        what: `the parameter \`${property.name}\``,
      };
      return this.#named(
        property.name,
        this.types.of(checker.getTypeOfSymbol(property), at),
        textOf(this, property),
        at.node,
      );
    });
  }

  #parameter(parameter, it, index) {
    const { ts, checker } = this;
    const declaration = parameter.valueDeclaration ?? it.node;
    const name =
      declaration.name && ts.isIdentifier(declaration.name) ? parameter.name : this.#nameInComment(it.node, index);
    if (declaration.dotDotDotToken || declaration.type?.kind === ts.SyntaxKind.JSDocVariadicType) {
      this.#fail(declaration, `\`...${name}\` takes any number of arguments`, `Make it an array: \`${name}\`.`);
    }
    const type = checker.getTypeOfSymbol(parameter);
    const cure = ts.isInJSFile(declaration)
      ? `Write in the doc comment of \`${it.name}\`: \`@param {string} ${name}\`, or what its type is.`
      : `Write its type after a colon: \`${name}: string\`, or what it is.`;
    const at = { node: declaration, name: kebab(name) ?? 'parameter', what: `the parameter \`${name}\``, cure };
    const read = this.types.of(type, at);
    const optional =
      checker.isOptionalParameter?.(declaration) ?? Boolean(declaration.questionToken || declaration.initializer);
    const whole = optional && !read.option ? { option: read, none: 'undefined' } : read;
    return this.#named(name, whole, textOf(this, parameter), declaration);
  }

  #named(name, type, doc, node) {
    const wit = kebab(name);
    if (!wit)
      this.#fail(
        node,
        `the parameter \`${name}\` can't be a name in WIT`,
        'Use letters, digits and underscores, beginning with a letter.',
      );
    return { name, wit: wit ?? 'wrong', doc, type };
  }

  /** What the doc comment calls the parameter that has no name in the code. */
  #nameInComment(node, index) {
    const tags = this.ts
      .getJSDocTags(node)
      .filter(this.ts.isJSDocParameterTag)
      .filter((tag) => this.ts.isIdentifier(tag.name));
    return tags[index]?.name.text ?? 'options';
  }

  #result(it, what) {
    const { ts, checker } = this;
    const type = settled(checker, it.signature.getReturnType());
    if (type.flags & (ts.TypeFlags.Void | ts.TypeFlags.Undefined | ts.TypeFlags.Never)) return undefined;
    const cure = ts.isInJSFile(it.node)
      ? `Write in its doc comment: \`@returns {string}\`, or what its type is.`
      : 'Write its type after the parentheses.';
    return this.types.of(type, {
      node: it.node,
      name: `${what.name}-result`,
      what: `what \`${it.name}\` returns`,
      cure,
    });
  }

  #prompt(it, what) {
    const args = it.signature.parameters.map((parameter, i) => this.#parameter(parameter, it, i));
    const texts = args.every(({ type }) => type === 'string' || type.option === 'string');
    if (!texts)
      this.#fail(
        it.node,
        `the prompt \`${it.name}\` has an argument that is no text`,
        'Arguments of prompts are strings, which may be optional.',
      );
    this.found.prompts.push({
      ...what,
      args: args.map(({ wit, name, doc, type }) => ({ name: wit, js: name, doc, required: type === 'string' })),
    });
  }

  #resource(it, what, text) {
    const [uri, mimeType] = text.split(/\s+/);
    const names = [...(uri ?? '').matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name);
    const given = it.signature.parameters.map(({ name }) => name);
    if (!/^[a-z][a-z0-9+.-]*:/.test(uri ?? '')) {
      this.#fail(
        it.node,
        `the resource \`${it.name}\` has no address`,
        'Write it behind the tag: `@resource notes://today` or `@resource notes://day/{date} text/markdown`.',
      );
    } else if (names.join() !== given.join()) {
      this.#fail(
        it.node,
        `the resource \`${it.name}\` takes (${given.join(', ')}), and its address has (${names.join(', ')})`,
        'Each `{name}` of the address is a parameter, in the same order.',
      );
    }
    this.found.resources.push({ ...what, uri, mimeType, names });
  }

  #workflow(it, what) {
    if (this.found.workflow)
      this.#fail(
        it.node,
        `\`${this.found.workflow.js}\` and \`${it.name}\` are both marked @workflow`,
        'A skill is one workflow: mark one of them.',
      );
    if (it.signature.parameters.length > 1)
      this.#fail(it.node, `the workflow \`${it.name}\` has several parameters`, 'It takes one object.');
    this.found.workflow = what;
  }

  #mark(node) {
    const tag = this.ts.getJSDocTags(node).find((one) => MARKS.includes(one.tagName.text));
    // The parser takes `notes:` of an address for a name, so the text is read as it stands.
    return tag && { name: tag.tagName.text, text: tagText(tag) };
  }

  #isProvider(type) {
    return type.symbol?.name === 'ToolProvider' || type.aliasSymbol?.name === 'ToolProvider';
  }

  #noFunction(exported, symbol, node) {
    if (symbol.flags & this.ts.SymbolFlags.Class) {
      this.warnings.push(
        new Problem(
          placeOf(this.ts, this.base, node),
          `the class \`${exported.name}\` is exported and is no tool`,
          'Export functions; a class need not be exported.',
          'warning',
        ),
      );
    }
  }

  refuseTwins() {
    const seen = new Map();
    for (const one of [...this.found.tools, ...this.found.prompts]) {
      const kind = this.found.tools.includes(one) ? 'tool' : 'prompt';
      const other = seen.get(`${kind} ${one.name}`);
      if (other)
        this.problems.push(
          new Problem(
            one.place,
            `\`${other.js}\` (${other.place}) and \`${one.js}\` are one ${kind}, \`${one.name}\``,
            'Rename one of them.',
          ),
        );
      seen.set(`${kind} ${one.name}`, one);
    }
  }

  #doc(symbol) {
    return textOf(this, symbol);
  }

  #fail(node, message, cure) {
    this.problems.push(new Problem(placeOf(this.ts, this.base, node), message, cure));
  }
}

/** What a promise becomes. */
function settled(checker, type) {
  return checker.getAwaitedType?.(type) ?? type;
}

function textOf({ ts, checker }, symbol) {
  return ts
    .displayPartsToString(symbol.getDocumentationComment(checker))
    .replace(/^[-–] /, '')
    .trim();
}

function tagText(tag) {
  const source = tag.getSourceFile().text.slice(tag.tagName.end, tag.end);
  return source
    .split('\n')[0]
    .replace(/\*\/.*$/, '')
    .trim();
}

/** The comment at the top of a file that is marked `@module` or `@packageDocumentation`. */
function fileDoc(ts, main) {
  const [range] = ts.getLeadingCommentRanges(main.text, 0) ?? [];
  const text = range && main.text.slice(range.pos, range.end);
  if (!text?.startsWith('/**') || !/@(module|file|fileoverview|packageDocumentation)\b/.test(text)) return '';
  const lines = text
    .slice(3, -2)
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd());
  return lines
    .filter((line) => !/^\s*@(module|packageDocumentation)\b/.test(line))
    .map((line) => line.replace(/^@(file|fileoverview)\s+/, ''))
    .join('\n')
    .trim();
}
