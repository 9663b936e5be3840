import { getDirectories } from 'wasi:filesystem/preopens@0.2.0';
import { HostError } from './error.js';

/** The host copies at most this much at once. */
const PIECE = 65536;

const FOLLOW = { symlinkFollow: true };

export function read(path) {
  return at(path, 'reading', (root, rest) => {
    const file = root.openAt(FOLLOW, rest, {}, { read: true });
    const parts = [];
    let length = 0;
    for (let end = false; !end;) {
      const [bytes, last] = file.read(BigInt(PIECE), BigInt(length));
      parts.push(bytes);
      length += bytes.length;
      end = last || bytes.length === 0;
    }
    return joined(parts, length);
  });
}

function joined(parts, length) {
  const whole = new Uint8Array(length);
  let from = 0;
  for (const part of parts) {
    whole.set(part, from);
    from += part.length;
  }
  return whole;
}

export function readText(path) {
  return new TextDecoder().decode(read(path));
}

export function write(path, content) {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  at(path, 'writing', (root, rest) => {
    const file = root.openAt(FOLLOW, rest, { create: true, truncate: true }, { write: true });
    for (let from = 0; from < bytes.length;) {
      const written = Number(file.write(bytes.slice(from, from + PIECE), BigInt(from)));
      if (written === 0) throw new HostError('io', `writing ${path}: nothing more could be written`);
      from += written;
    }
  });
}

export function list(path) {
  return at(path, 'listing', (root, rest) => {
    const stream = root.openAt(FOLLOW, rest, { directory: true }, { read: true }).readDirectory();
    const found = [];
    for (let entry = stream.readDirectoryEntry(); entry !== undefined; entry = stream.readDirectoryEntry()) {
      found.push({ name: entry.name, folder: entry.type === 'directory' });
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  });
}

export function makeFolder(path) {
  at(path, 'making', (root, rest) => root.createDirectoryAt(rest));
}

export function remove(path) {
  at(path, 'removing', (root, rest) => root.unlinkFileAt(rest));
}

export function removeFolder(path) {
  at(path, 'removing', (root, rest) => root.removeDirectoryAt(rest));
}

/** Does something below the granted folder that a path leads into. */
function at(path, doing, work) {
  const folders = getDirectories().map(([root, name]) => ({ root, name: name.replace(/\/+$/, '') }));
  const found = folders
    .filter(({ name }) => path === name || path.startsWith(`${name}/`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (!found) {
    const names = folders.map(({ name }) => name || '/').join(', ');
    throw new HostError('access', `${doing} ${path}: it is in no granted folder (${names || 'there is none'})`);
  }
  try {
    return work(found.root, path.slice(found.name.length + 1) || '.');
  } catch (error) {
    if (!Object.prototype.hasOwnProperty.call(error, 'payload')) throw error;
    throw new HostError(error.payload, `${doing} ${path}: ${error.payload}`);
  }
}
