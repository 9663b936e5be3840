import { log, progress, skills } from '@bailiwick/skill';

const MARKDOWN = 'bailiwick/markdown';

/** What `bailiwick/markdown` says of a heading, as far as it is needed here.
 * @typedef {{ level: number, text: string, anchor: string }} Heading
 */

/**
 * Makes a web page of a document in Markdown, with a table of contents before it.
 * @workflow
 * @param {{ markdown: string, title?: string }} input As `schemas/input.json` says it.
 */
export function run({ markdown, title }) {
  progress.report(0, 2, 'reading the document');
  const { headings, body } = markdown.trim() === '' ? { headings: [], body: '' } : read(markdown);
  log.info(`${headings.length} headings`);

  progress.report(1, 2, 'writing the page');
  const shown = title ?? headings[0]?.text ?? '';
  const html = `<!doctype html>
<meta charset="utf-8">
<title>${escape(shown)}</title>
<nav>
${headings.map(entry).join('')}</nav>
${body}`;
  return { html, headings: headings.length };
}

/**
 * The headings of a document, and its HTML.
 * @param {string} markdown
 * @returns {{ headings: Heading[], body: string }}
 */
function read(markdown) {
  // Both calls are made side by side. Where one fails, its error says which, and ends the run.
  const [outline, html] = skills.callAll([
    { skill: MARKDOWN, tool: 'outline', arguments: { markdown } },
    { skill: MARKDOWN, tool: 'to-html', arguments: { markdown, 'heading-ids': true } },
  ]);
  if (outline.error) throw outline.error;
  if (html.error) throw html.error;
  return { headings: outline.ok, body: html.ok };
}

/** @param {Heading} heading */
function entry({ level, text, anchor }) {
  return `${'  '.repeat(level)}<a href="#${escape(anchor)}">${escape(text)}</a><br>\n`;
}

/** @param {string} text */
function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
