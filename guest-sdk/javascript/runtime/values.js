// Carries values between the types that the author declared and those that the engine's
// glue takes. It changes names, and refuses what the declared type can't hold: the glue
// would cut numbers to size without a word.

const INTEGERS = {
  u8: [0, 255],
  s8: [-128, 127],
  u16: [0, 65535],
  s16: [-32768, 32767],
  u32: [0, 4294967295],
  s32: [-2147483648, 2147483647],
};
const BIG_INTEGERS = {
  u64: [0n, 18446744073709551615n],
  s64: [-9223372036854775808n, 9223372036854775807n],
};
const NUMBERS = { f32: 'a number', f64: 'a number' };

/** Named types by their names, from what the build wrote. */
export function table(types) {
  return new Map(types.map((type) => [type.name, type]));
}

/** What the caller sent, as the author's function expects it. */
export function lift(type, value, types) {
  if (typeof type === 'string') return value;
  if (type.list) return liftList(type, value, types);
  if (type.option) return liftOption(type, value, types);
  if (type.tuple) return type.tuple.map((part, i) => lift(part, value[i], types));
  return liftNamed(types.get(type.ref), value, types);
}

function liftList(type, value, types) {
  if (type.typed) return value;
  // Lists of numbers come as typed arrays, which lack much of what arrays have.
  const array = Array.isArray(value) ? value : Array.from(value);
  return typeof type.list === 'string' ? array : array.map((part) => lift(type.list, part, types));
}

function liftOption(type, value, types) {
  const none = type.none === 'null' ? null : undefined;
  if (!type.option.option) return value === undefined ? none : lift(type.option, value, types);
  return value.tag === 'none' ? none : lift(type.option, value.val, types);
}

function liftNamed(type, value, types) {
  if (type.enum) return type.enum.find(({ wit }) => wit === value).name;
  if (type.variant) {
    const found = type.variant.find(({ wit }) => wit === value.tag);
    return found.type ? { tag: found.name, val: lift(found.type, value.val, types) } : { tag: found.name };
  }
  const out = {};
  if (type.flags) {
    for (const { name, js } of type.flags) out[name] = value[js];
    return out;
  }
  for (const { name, js, type: of } of type.record) {
    const held = lift(of, value[js], types);
    // A property that was left out is not there, so that defaults and spreading work.
    if (held !== undefined) out[name] = held;
  }
  return out;
}

/** What the author's function returned, as the engine's glue takes it. */
export function lower(type, value, types, path = '') {
  if (typeof type === 'string') return lowerPlain(type, value, path);
  if (type.list) return lowerList(type, value, types, path);
  if (type.option) return lowerOption(type, value, types, path);
  if (type.tuple) return lowerTuple(type, value, types, path);
  return lowerNamed(types.get(type.ref), value, types, path);
}

function lowerPlain(type, value, path) {
  if (type === 'string') return expect(typeof value === 'string', value, 'a string', path);
  if (type === 'bool') return expect(typeof value === 'boolean', value, 'true or false', path);
  if (type === 'char') return expect(typeof value === 'string' && isOneChar(value), value, 'one character', path);
  if (NUMBERS[type]) return expect(typeof value === 'number', value, NUMBERS[type], path);
  const [least, most] = INTEGERS[type] ?? BIG_INTEGERS[type];
  const right = INTEGERS[type] ? Number.isInteger(value) : typeof value === 'bigint';
  const kind = INTEGERS[type] ? 'a whole number' : 'a bigint';
  return expect(right && value >= least && value <= most, value, `${kind} from ${least} to ${most}`, path);
}

function isOneChar(text) {
  const code = text.codePointAt(0);
  return code !== undefined && String.fromCodePoint(code) === text && (code < 0xd800 || code > 0xdfff);
}

function lowerList(type, value, types, path) {
  if (type.typed) {
    const name = Object.prototype.toString.call(value).slice(8, -1);
    return expect(name === type.typed, value, `a ${type.typed}`, path);
  }
  expect(Array.isArray(value), value, 'an array', path);
  return Array.from(value, (part, i) => lower(type.list, part, types, `${path}[${i}]`));
}

function lowerOption(type, value, types, path) {
  const none = value === undefined || value === null;
  const nested = Boolean(type.option.option);
  if (none) return nested ? { tag: 'none' } : undefined;
  const held = lower(type.option, value, types, path);
  return nested ? { tag: 'some', val: held } : held;
}

function lowerTuple(type, value, types, path) {
  const size = type.tuple.length;
  expect(Array.isArray(value) && value.length === size, value, `an array of ${size}`, path);
  return type.tuple.map((part, i) => lower(part, value[i], types, `${path}[${i}]`));
}

function lowerNamed(type, value, types, path) {
  if (type.enum) {
    const found = type.enum.find(({ name }) => name === value);
    expect(found, value, `one of ${quoted(type.enum)}`, path);
    return found.wit;
  }
  expect(typeof value === 'object' && value !== null, value, `an object (${type.name})`, path);
  if (type.variant) return lowerVariant(type, value, types, path);
  const out = {};
  if (type.flags) {
    const names = type.flags.map(({ name }) => name);
    const other = Object.keys(value).find((name) => !names.includes(name));
    expect(other === undefined, other, `only ${quoted(type.flags)}`, path);
    for (const { name, js } of type.flags) out[js] = Boolean(value[name]);
    return out;
  }
  for (const { name, js, type: of } of type.record) out[js] = lower(of, value[name], types, `${path}.${name}`);
  return out;
}

function lowerVariant(type, value, types, path) {
  const found = type.variant.find(({ name }) => name === value.tag);
  expect(found, value.tag, `one of ${quoted(type.variant)}`, `${path}.tag`);
  return found.type ? { tag: found.wit, val: lower(found.type, value.val, types, `${path}.val`) } : { tag: found.wit };
}

const quoted = (cases) => cases.map(({ name }) => JSON.stringify(name)).join(', ');

function expect(right, value, wanted, path) {
  if (!right) throw new TypeError(`the answer${path ? ` at ${path}` : ''} is ${shown(value)} and should be ${wanted}`);
  return value;
}

function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null)
    return `an object (${Object.prototype.toString.call(value).slice(8, -1)})`;
  return String(value);
}
