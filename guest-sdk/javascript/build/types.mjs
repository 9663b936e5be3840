// Turns types of TypeScript, or of JSDoc, into types of WIT.
//
// A type here is a string for what WIT has by name (`string`, `u32`), or one of
//   { list: T }, { option: T, none: 'undefined' | 'null' }, { tuple: [T] }, { ref: name }
// and a named type is one of
//   { name, doc, record: [{ name, wit, doc, type }] }
//   { name, doc, enum: [{ name, wit, doc }] }, { name, doc, flags: [{ name, wit }] }
//   { name, doc, variant: [{ name, wit, doc, type }] }
// where `name` is the author's and `wit` is the name in WIT.

import { camel, kebab } from './names.mjs';
import { Problem, placeOf } from './problems.mjs';

const BRAND = '__@bailiwickType';

const TYPED_ARRAYS = {
  Uint8Array: 'u8',
  Int8Array: 's8',
  Uint16Array: 'u16',
  Int16Array: 's16',
  Uint32Array: 'u32',
  Int32Array: 's32',
  BigUint64Array: 'u64',
  BigInt64Array: 's64',
  Float32Array: 'f32',
  Float64Array: 'f64',
};

/** Types that many would try, and what to write in their place. */
const INSTEAD = {
  Map: 'Use an array of objects such as `{ key: string, value: number }[]`.',
  Set: 'Use an array.',
  Date: 'Use a string such as "2026-01-31T12:00:00Z".',
  RegExp: 'Use a string and make the expression of it.',
  URL: 'Use a string.',
  Error: 'Throw it: a tool that throws has failed.',
  Buffer: 'Use `Uint8Array`.',
  ArrayBuffer: 'Use `Uint8Array`.',
  Function: 'A caller can only send data.',
};

export class Types {
  /**
   * @param {{ ts: any, checker: any, base: string, problems: Problem[], sources: any[], reserved: Set<string> }} context
   *   what the program is, and names that no type may have
   */
  constructor(context) {
    Object.assign(this, context);
    this.named = new Map();
    this.byType = new Map();
    this.open = [];
    this.inUse = new Set();
    this.aliases = this.#namesOfTypes();
  }

  /** All named types, each after those that it uses. */
  all() {
    return [...this.named.values()];
  }

  /**
   * @param {any} type what TypeScript's checker knows
   * @param {{ node: any, name: string, what: string }} at where it stands, a name in WIT should it
   *   need one, and how to call it in an error
   */
  of(type, at) {
    const { ts } = this;
    if (type.flags & ts.TypeFlags.Any) return this.#missing(at);
    const brand = this.#brand(type);
    if (brand) return brand === 'flags' ? this.#flags(type, at) : brand;
    if (type.isUnion() && !(type.flags & ts.TypeFlags.Boolean)) return this.#union(type, at);
    if (this.#isNone(type)) return this.#fail(at, `${at.what} can only be nothing`, 'Leave it out.');
    return this.#plain(type, at) ?? this.#object(type, at);
  }

  #isNone(type) {
    const { Undefined, Null, Void, Never } = this.ts.TypeFlags;
    return (type.flags & (Undefined | Null | Void | Never)) !== 0;
  }

  #plain(type, at) {
    const { ts } = this;
    const { flags } = type;
    if (flags & ts.TypeFlags.BooleanLike) return 'bool';
    if (flags & ts.TypeFlags.BigIntLike) return 's64';
    if (flags & ts.TypeFlags.NumberLike) return 'f64';
    if (flags & ts.TypeFlags.StringLiteral) return this.#enum([type], type, at);
    if (flags & ts.TypeFlags.StringLike) return 'string';
    return undefined;
  }

  // --- unions: options, enums, variants ---

  #union(type, at) {
    const parts = type.types.filter((part) => !this.#isNone(part));
    if (parts.length === type.types.length) return this.#choice(parts, type, at);
    if (parts.length === 0) return this.#fail(at, `${at.what} can only be nothing`, 'Leave it out.');
    const none = type.types.some((part) => part.flags & this.ts.TypeFlags.Null) ? 'null' : 'undefined';
    return { option: this.#without(parts, type, at), none };
  }

  /** What is left of a union when nothing was taken out of it. */
  #without(parts, type, at) {
    if (parts.length === 1) return this.of(parts[0], at);
    return this.#choice(parts, this.checker.getNonNullableType(type), at);
  }

  #choice(parts, type, at) {
    const { ts } = this;
    const every = (flag) => parts.every((part) => part.flags & flag);
    if (every(ts.TypeFlags.BooleanLike)) return 'bool';
    if (every(ts.TypeFlags.StringLiteral)) return this.#enum(parts, type, at);
    if (every(ts.TypeFlags.NumberLike)) {
      return this.#fail(
        at,
        `${at.what} is one of some numbers, which WIT has no type for`,
        'Use a type of numbers such as `U8`, or one of some strings.',
      );
    }
    if (parts.every((part) => this.#tag(part) !== undefined)) return this.#variant(parts, type, at);
    const shown = parts.map((part) => `\`${this.checker.typeToString(part)}\``).join(' or ');
    return this.#fail(
      at,
      `${at.what} is ${shown}, and nothing tells which`,
      'Give each an object with a tag: `{ tag: "text", val: string } | { tag: "number", val: number }`.',
    );
  }

  #enum(parts, type, at) {
    return this.#name(type, at, (name, doc) => {
      const comments = this.#caseComments(type);
      // TypeScript orders them by when it first met each text, be it in other code.
      const written = [...comments.keys()];
      const texts = parts.map(({ value }) => value).sort((a, b) => written.indexOf(a) - written.indexOf(b));
      return {
        name,
        doc,
        enum: this.#cases(
          texts.map((text) => ({ name: text, doc: comments.get(text) ?? '' })),
          at,
        ),
      };
    });
  }

  /** The text of the property `tag`, where it is one certain text. */
  #tag(part) {
    const property = part.getProperty?.('tag');
    if (!property) return undefined;
    const type = this.checker.getTypeOfSymbol(property);
    return type.isStringLiteral() ? type.value : undefined;
  }

  #variant(parts, type, at) {
    return this.#name(type, at, (name, doc) => {
      const cases = parts.map((part) => this.#case(part, name, at));
      return { name, doc, variant: this.#cases(cases, at) };
    });
  }

  #case(part, name, at) {
    const tag = this.#tag(part);
    const others = part.getProperties().filter((property) => property.name !== 'tag' && property.name !== 'val');
    if (others.length > 0) {
      this.#fail(
        at,
        `the case "${tag}" of ${at.what} has the property \`${others[0].name}\` beside its tag`,
        'Put what it holds into one property: `{ tag: "circle", val: { radius: number } }`.',
      );
    }
    const value = part.getProperty('val');
    const doc = this.#doc(part.aliasSymbol) || this.#doc(part.getProperty('tag'));
    if (!value) return { name: tag, doc };
    const held = this.checker.getTypeOfSymbol(value);
    const inner = {
      node: this.#ownNode(value) ?? at.node,
      name: `${name}-${kebab(tag) ?? 'case'}`,
      what: `\`val\` of the case "${tag}"`,
    };
    if (this.#isNone(held)) return { name: tag, doc };
    return { name: tag, doc, type: this.of(held, inner) };
  }

  // --- objects: arrays, tuples, records, flags ---

  #object(type, at) {
    const { checker, ts } = this;
    if (checker.isTupleType(type)) return this.#tuple(type, at);
    if (checker.isArrayType(type)) return { list: this.of(checker.getTypeArguments(type)[0], this.#element(at)) };
    const builtIn = this.#builtIn(type);
    if (builtIn && TYPED_ARRAYS[builtIn]) return { list: TYPED_ARRAYS[builtIn], typed: builtIn };
    if (builtIn && INSTEAD[builtIn])
      return this.#fail(at, `${at.what} is a \`${builtIn}\`, which can't leave or enter a skill`, INSTEAD[builtIn]);
    if (type.getCallSignatures?.().length > 0) return this.#fail(at, `${at.what} is a function`, INSTEAD.Function);
    if (checker.getIndexInfosOfType(type).length > 0) {
      return this.#fail(at, `${at.what} is an object with keys of any name, which WIT has no type for`, INSTEAD.Map);
    }
    const isObject = type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection);
    if (!isObject || type.getProperties().length === 0) {
      return this.#fail(
        at,
        `${at.what} is \`${checker.typeToString(type)}\`, which says nothing about its values`,
        'Say which properties it has: `{ name: string, size: U32 }`.',
      );
    }
    return this.#record(type, at);
  }

  #element(at) {
    return { ...at, name: `${at.name}-item`, what: `an element of ${at.what}` };
  }

  #tuple(type, at) {
    const { ts, checker } = this;
    if (type.target.elementFlags.some((flag) => flag !== ts.ElementFlags.Required)) {
      return this.#fail(
        at,
        `${at.what} is a tuple of no fixed length`,
        'Use an array, or an object with optional properties.',
      );
    }
    const parts = checker.getTypeArguments(type);
    if (parts.length === 0) return this.#fail(at, `${at.what} is an empty tuple`, 'Leave it out.');
    return {
      tuple: parts.map((part, i) =>
        this.of(part, {
          ...at,
          name: `${at.name}-${'abcdefghijklmnopqrstuvwxyz'[i] ?? 'z'}`,
          what: `part ${i + 1} of ${at.what}`,
        }),
      ),
    };
  }

  #record(type, at) {
    return this.#name(type, at, (name, doc) => {
      const fields = type.getProperties().map((property) => this.#field(property, name, at));
      return { name, doc, record: this.#cases(fields, at) };
    });
  }

  #field(property, owner, at) {
    const node = this.#ownNode(property) ?? at.node;
    const type = this.checker.getTypeOfSymbol(property);
    const inner = {
      node,
      name: `${owner}-${kebab(property.name) ?? 'field'}`,
      what: `the property \`${property.name}\``,
    };
    return { name: property.name, doc: this.#doc(property), type: this.of(type, inner), node };
  }

  #flags(type, at) {
    return this.#name(type, at, (name, doc) => {
      const names = type.getProperties().filter((property) => !property.escapedName.startsWith(BRAND));
      return {
        name,
        doc,
        flags: this.#cases(
          names.map((property) => ({ name: property.name, doc: this.#doc(property) })),
          at,
        ),
      };
    });
  }

  // --- names ---

  /** Gives names in WIT, and says where one can't be had or two are the same. */
  #cases(cases, at) {
    const seen = new Map();
    return cases.map((one) => {
      const wit = kebab(one.name);
      const place = { ...at, node: one.node ?? at.node };
      if (!wit) {
        this.#fail(
          place,
          `\`${one.name}\` in ${at.what} can't be a name in WIT`,
          'Use letters, digits, hyphens and underscores, beginning with a letter.',
        );
      } else if (seen.has(wit)) {
        this.#fail(
          place,
          `\`${seen.get(wit)}\` and \`${one.name}\` in ${at.what} are both \`${wit}\` in WIT`,
          'Rename one of them.',
        );
      }
      seen.set(wit, one.name);
      return { ...one, node: undefined, wit: wit ?? 'wrong', js: camel(wit ?? 'wrong') };
    });
  }

  /** The named type of this type of TypeScript, which `make` builds the first time. */
  #name(type, at, make) {
    const known = this.byType.get(type);
    if (known) return { ref: known };
    if (this.open.includes(type)) {
      return this.#fail(
        at,
        `${at.what} holds itself, and WIT has no such types`,
        'Use a flat array whose elements name their parent, or a string of JSON.',
      );
    }
    const symbol = this.#symbolOf(type);
    const name = this.#unique(this.#wanted(type, symbol) ?? at.name);
    this.open.push(type);
    const made = make(name, this.#doc(symbol));
    this.open.pop();
    this.byType.set(type, name);
    this.named.set(name, made);
    return { ref: name };
  }

  #wanted(type, symbol) {
    if (!symbol) return undefined;
    const own = kebab(symbol.name);
    const isReference = type.objectFlags & this.ts.ObjectFlags.Reference;
    const parameters = type.aliasTypeArguments ?? (isReference ? this.checker.getTypeArguments(type) : []);
    const parts = parameters.map((part) =>
      kebab((part.aliasSymbol ?? part.symbol)?.name ?? this.checker.typeToString(part)),
    );
    return own && [own, ...parts.filter(Boolean)].join('-of-');
  }

  /** Types and functions of an interface share their names, and functions have the first choice. */
  #unique(name) {
    const base = this.reserved.has(name) ? `${name}-type` : name;
    let candidate = base;
    for (let i = 2; this.inUse.has(candidate) || this.reserved.has(candidate); i += 1) candidate = `${base}${i}`;
    this.inUse.add(candidate);
    return candidate;
  }

  /** The alias, interface or typedef by which the author calls a type. */
  #symbolOf(type) {
    if (type.aliasSymbol && this.#isAuthors(type.aliasSymbol)) return type.aliasSymbol;
    const alias = this.aliases.get(keyOf(type));
    if (alias) return alias;
    const { symbol } = type;
    const anonymous = !symbol || symbol.name.startsWith('__');
    return !anonymous && this.#isAuthors(symbol) ? symbol : undefined;
  }

  #isAuthors(symbol) {
    return symbol.declarations?.some((declaration) => this.sources.includes(declaration.getSourceFile()));
  }

  /**
   * TypeScript forgets the name of a union when `undefined` is added to it, and that of
   * `Flags<…>`. This finds it again.
   */
  #namesOfTypes() {
    const { ts, checker } = this;
    const found = new Map();
    const visit = (node) => {
      const symbol =
        ts.isTypeAliasDeclaration(node) || ts.isJSDocTypedefTag(node)
          ? checker.getSymbolAtLocation(node.name ?? node)
          : undefined;
      const type = symbol && checker.getDeclaredTypeOfSymbol(symbol);
      if (type && !found.has(keyOf(type))) found.set(keyOf(type), symbol);
    };
    for (const source of this.sources) {
      const walk = (node) => {
        visit(node);
        for (const doc of node.jsDoc ?? []) ts.forEachChild(doc, visit);
        ts.forEachChild(node, walk);
      };
      walk(source);
    }
    return found;
  }

  // --- what the author wrote about them ---

  #doc(symbol) {
    if (!symbol) return '';
    return this.ts.displayPartsToString(symbol.getDocumentationComment(this.checker)).trim();
  }

  /** The texts of an alias such as `type Kind = /** … *\/ | "link"`, in order, with the comments before them. */
  #caseComments(type) {
    const comments = new Map();
    const declaration = this.#symbolOf(type)?.declarations?.[0];
    const union = declaration?.type ?? declaration?.typeExpression?.type;
    if (!union || !this.ts.isUnionTypeNode(union)) return comments;
    const text = union.getSourceFile().text;
    let from = union.pos;
    for (const member of union.types) {
      const between = text.slice(from, member.getStart());
      const comment = /\/\*\*([\s\S]*?)\*\//.exec(between);
      if (this.ts.isLiteralTypeNode(member)) comments.set(member.literal.text, comment ? plainComment(comment[1]) : '');
      from = member.end;
    }
    return comments;
  }

  #brand(type) {
    const parts = type.isIntersection() ? type.types : [type];
    for (const part of parts) {
      const property = part.getProperties?.().find(({ escapedName }) => escapedName.startsWith(BRAND));
      if (property) return this.checker.getNonNullableType(this.checker.getTypeOfSymbol(property)).value;
    }
    return undefined;
  }

  /** The name of a class that comes with the language. */
  #builtIn(type) {
    const file = type.symbol?.declarations?.[0]?.getSourceFile();
    return file?.hasNoDefaultLib || file?.fileName.includes('/lib.') ? type.symbol.name : undefined;
  }

  #ownNode(symbol) {
    const node = symbol.valueDeclaration ?? symbol.declarations?.[0];
    return node && this.sources.includes(node.getSourceFile()) ? node : undefined;
  }

  #missing(at) {
    const script = at.node.getSourceFile().fileName.endsWith('.ts');
    const cure = script
      ? 'Write its type after a colon, such as `text: string`.'
      : 'Write its type in the doc comment, such as `@param {string} text`.';
    return this.#fail(at, `${at.what} has no type, or one that can't be found`, at.cure ?? cure);
  }

  #fail(at, message, cure) {
    this.problems.push(new Problem(placeOf(this.ts, this.base, at.node), message, cure));
    return 'string';
  }
}

/** Two unions of the same types are one to the author, whatever TypeScript thinks. */
const keyOf = (type) =>
  type.isUnion()
    ? type.types
        .map(({ id }) => id)
        .sort((a, b) => a - b)
        .join()
    : type;

const plainComment = (text) =>
  text
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd())
    .join('\n')
    .trim();
