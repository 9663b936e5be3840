// Tables as rows of cells, with cells that span several rows or columns in each of them.

import { elements, textOf } from './tree.js';

/** @import { Element } from './tree.js' */

/** No page for people has wider spans, and a page can say 1000 of them in each cell. */
const MAX_SPAN = 100;
const MAX_COLUMNS = 1000;

/**
 * @param {Element} table
 * @returns {{ caption: string | undefined, header: string[], rows: string[][] }}
 */
export function readTable(table) {
  const own = [...elements(table)].filter((one) => tableOf(one) === table);
  const caption = own.find(({ name }) => name === 'caption');
  const rows = own.filter(({ name }) => name === 'tr');
  const grid = fill(rows);
  const heads = headRows(rows);
  return {
    caption: caption && textOf(caption),
    header: columnNames(grid.slice(0, heads), Math.max(0, ...grid.map(({ length }) => length))),
    rows: grid.slice(heads),
  };
}

function tableOf(element) {
  let one = element.parent;
  while (one && one.name !== 'table') one = one.parent;
  return one;
}

const cellsOf = (row) => row.children.filter((child) => child.name === 'td' || child.name === 'th');

/** The rows at the top that name columns: those of `thead`, or else one of `th` alone. */
function headRows(rows) {
  const inHead = rows.filter(({ parent }) => parent.name === 'thead').length;
  if (inHead > 0) return inHead;
  const first = rows[0] && cellsOf(rows[0]);
  return first?.length > 0 && first.every(({ name }) => name === 'th') ? 1 : 0;
}

function fill(rows) {
  const grid = rows.map(() => []);
  rows.forEach((row, y) => {
    let x = 0;
    for (const cell of cellsOf(row)) {
      while (grid[y][x] !== undefined) x += 1;
      const text = textOf(cell);
      const [width, height] = [span(cell, 'colspan'), span(cell, 'rowspan')];
      for (let dy = 0; dy < height && y + dy < rows.length; dy += 1) {
        for (let dx = 0; dx < width && x + dx < MAX_COLUMNS; dx += 1) grid[y + dy][x + dx] ??= text;
      }
      x += width;
    }
  });
  return grid.map((row) => Array.from(row, (text) => text ?? ''));
}

function span(cell, key) {
  const number = Number.parseInt(cell.attributes.get(key) ?? '', 10);
  return Number.isNaN(number) ? 1 : Math.min(Math.max(number, 1), MAX_SPAN);
}

/** One name for each column: of several rows of headings, those that differ, one behind the other. */
function columnNames(heads, width) {
  const seen = new Map();
  return Array.from({ length: width }, (_, x) => {
    const parts = heads.map((row) => row[x] ?? '').filter((text, i, all) => text !== '' && text !== all[i - 1]);
    const name = parts.join(' ') || `column ${x + 1}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}
