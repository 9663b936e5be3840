// Names of JavaScript as WIT writes them: `wordCount`, `word_count` and `WordCount` are
// all `word-count`.

const KEYWORDS = new Set(
  (
    'as async bool borrow char constructor enum error-context export f32 f64 flags from func future import include ' +
    'interface list map option own package record resource result s16 s32 s64 s8 static stream string tuple type u16 u32 ' +
    'u64 u8 use variant with world'
  ).split(' '),
);

const WORD = /[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+/g;
const ALLOWED = /^[A-Za-z0-9_-]+$/;

/** The name in WIT, or undefined where it has characters that WIT's names can't have. */
export function kebab(name) {
  if (!ALLOWED.test(name)) return undefined;
  const words = name.match(WORD) ?? [];
  const out = [];
  for (const word of words) {
    // No word may begin with a digit, so `level_2` is `level2`.
    if (/^[0-9]/.test(word) && out.length > 0) out[out.length - 1] += word;
    else out.push(word.toLowerCase());
  }
  const joined = out.join('-');
  return /^[a-z]/.test(joined) ? joined : undefined;
}

/** How componentize-js calls a name of WIT in JavaScript. */
export function camel(witName) {
  return witName.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

/** A name where WIT may take it for a keyword. */
export function escape(witName) {
  return KEYWORDS.has(witName) ? `%${witName}` : witName;
}
