import type { Json } from '@bailiwick/skill';

type Tree = { kids: Tree[] };

/** Each parameter has a type that WIT lacks. */
export function wrong(
  map: Map<string, number>,
  day: Date,
  either: string | number,
  tree: Tree,
  keys: Record<string, number>,
  anything: unknown,
  object: object,
  number: 1 | 2,
  back: (text: string) => void,
  beside: { tag: 'circle'; radius: number } | { tag: 'none' },
  odd: 'a b' | 'c',
  same: { fooBar: string; foo_bar: string },
  json: Json,
  none: undefined,
  ...rest: string[]
): void {}

/** It takes any type. */
export function generic<T>(one: T): T {
  return one;
}

export function overloaded(one: string): string;
export function overloaded(one: number): number;
/** It has two signatures. */
export function overloaded(one: any): any {
  return one;
}

/** It has no name. */
export default function (one: string): string {
  return one;
}

/** They are one tool. */
export function wordCount(): void {}
/** They are one tool. */
export function word_count(): void {}

export class Thing {}
