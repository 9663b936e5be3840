// Reads and writes core WebAssembly modules, section by section. Only what a snapshot of
// a running module needs: see snapshot.mjs.

export const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  data: 11,
  dataCount: 12,
};

const HEADER = 8;
const EXPORT_MEMORY = 2;
const EXPORT_GLOBAL = 3;

/** The sections of a module, in order, as `{ id, body }`. */
export function readSections(bytes) {
  const reader = new Reader(bytes, HEADER);
  const sections = [];
  while (!reader.done()) {
    const id = reader.byte();
    sections.push({ id, body: reader.bytes(reader.unsigned()) });
  }
  return sections;
}

/** A module of these sections. */
export function writeSections(sections) {
  const parts = [Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)];
  for (const { id, body } of sections) {
    parts.push(Uint8Array.from([id, ...unsigned(body.length)]), body);
  }
  return concat(parts);
}

/** The globals that a module defines, as `{ type, mutable, init }` with the bytes of `init`. */
export function readGlobals(body) {
  const reader = new Reader(body);
  const globals = [];
  for (let left = reader.unsigned(); left > 0; left -= 1) {
    const type = reader.byte();
    const mutable = reader.byte() === 1;
    globals.push({ type, mutable, init: reader.constant() });
  }
  return globals;
}

export function writeGlobals(globals) {
  const parts = [unsigned(globals.length)];
  for (const { type, mutable, init } of globals) parts.push([type, mutable ? 1 : 0], init);
  return concat(parts);
}

/** The exports of a module, as `{ name, kind, index }`. */
export function readExports(body) {
  const reader = new Reader(body);
  const entries = [];
  for (let left = reader.unsigned(); left > 0; left -= 1) {
    entries.push({ name: reader.name(), kind: reader.byte(), index: reader.unsigned() });
  }
  return entries;
}

export function writeExports(entries) {
  const parts = [unsigned(entries.length)];
  for (const { name, kind, index } of entries) {
    const text = new TextEncoder().encode(name);
    parts.push(unsigned(text.length), text, [kind], unsigned(index));
  }
  return concat(parts);
}

export const globalExport = (name, index) => ({ name, kind: EXPORT_GLOBAL, index });
export const isMemoryExport = (entry) => entry.kind === EXPORT_MEMORY;

/** The one memory of a module, as `{ min, max }` in pages. */
export function readMemory(body) {
  const reader = new Reader(body);
  if (reader.unsigned() !== 1) throw new Error('the engine has not exactly one memory');
  const limited = reader.byte() === 1;
  return { min: reader.unsigned(), max: limited ? reader.unsigned() : undefined };
}

export function writeMemory({ min, max }) {
  return Uint8Array.from([1, ...(max === undefined ? [0, ...unsigned(min)] : [1, ...unsigned(min), ...unsigned(max)])]);
}

/** Whether all data of a module is put into memory when it starts. */
export function hasOnlyActiveData(body) {
  const reader = new Reader(body);
  for (let left = reader.unsigned(); left > 0; left -= 1) {
    if (reader.unsigned() !== 0) return false;
    reader.constant();
    reader.bytes(reader.unsigned());
  }
  return true;
}

/** Data that is put into memory when the module starts, from `[{ offset, bytes }]`. */
export function writeData(segments) {
  const parts = [unsigned(segments.length)];
  for (const { offset, bytes } of segments) {
    parts.push([0, 0x41, ...signed(BigInt(offset | 0)), 0x0b], unsigned(bytes.length), bytes);
  }
  return concat(parts);
}

/** The bytes of the expression that gives a global this value. */
export function constant(type, value) {
  const I32 = 0x7f;
  const I64 = 0x7e;
  if (type === I32) return Uint8Array.from([0x41, ...signed(BigInt(value)), 0x0b]);
  if (type === I64) return Uint8Array.from([0x42, ...signed(value), 0x0b]);
  throw new Error(`a global of the engine has the type 0x${type.toString(16)}`);
}

export function unsigned(value) {
  const out = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return out;
}

function signed(value) {
  const out = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const last = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
    out.push(last ? low : low | 0x80);
    if (last) return out;
  }
}

export function concat(parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

class Reader {
  constructor(source, at = 0) {
    this.source = source;
    this.at = at;
  }

  done() {
    return this.at >= this.source.length;
  }

  byte() {
    if (this.done()) throw new Error('the module ends in the middle');
    this.at += 1;
    return this.source[this.at - 1];
  }

  unsigned() {
    let value = 0;
    let scale = 1;
    for (;;) {
      const next = this.byte();
      value += (next & 0x7f) * scale;
      if (next < 0x80) return value;
      scale *= 128;
    }
  }

  bytes(length) {
    if (this.at + length > this.source.length) throw new Error('the module ends in the middle');
    this.at += length;
    return this.source.subarray(this.at - length, this.at);
  }

  name() {
    return new TextDecoder().decode(this.bytes(this.unsigned()));
  }

  /** The bytes of a constant of an integer, with its end. */
  constant() {
    const from = this.at;
    const opcode = this.byte();
    if (opcode !== 0x41 && opcode !== 0x42)
      throw new Error(`the engine begins a constant with 0x${opcode.toString(16)}`);
    while (this.byte() >= 0x80);
    if (this.byte() !== 0x0b) throw new Error('the engine has a constant of several parts');
    return this.source.subarray(from, this.at);
  }
}
