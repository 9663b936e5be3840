import type { F32, Flags, S16, U32 } from '@bailiwick/skill';

/** A page of things. */
export interface Page<T> {
  /** What is on it. */
  items: T[];
  next?: U32;
}

type Kind =
  /** A link. */
  | 'link'
  /** An image. */
  | 'image';

type Look = Flags<'bold' | 'veryThin'>;

interface Thing {
  name: string;
  kind: Kind;
  look?: Look;
  /** A record without a name of its own. */
  size?: { width: F32; unit: 'px' | 'em' };
  raw: Uint8Array;
  offsets: Int16Array | null;
}

/** What was found. */
type Found = { tag: 'nothing' } | { tag: 'one'; val: Thing } | { tag: 'many'; val: Thing[] };

/**
 * Lists things.
 * @param text what to look for
 */
export async function listThings(text: string, kinds: Kind[] = [], from?: U32): Promise<Page<Thing>> {
  return { items: [], next: from };
}

/** Lists names: another page. */
export function names(): Page<string> {
  return { items: [] };
}

/** Finds. Its parameter is taken apart. */
export function find({ text, limit = 3 }: { text: string; /** How many. */ limit?: S16 }): Found {
  return { tag: 'nothing' };
}

/** The name of a tool can be a word of WIT, and that of a type. */
export function list(record: boolean, page: [string, bigint]): void {}

/** Nobody calls it. @internal */
export function helper(anything: unknown) {}

export const LIMIT = 3;
