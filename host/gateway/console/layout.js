// A picture of a circuit's layout on a canvas: columns side by side by kind, rows downward.
//
//   advice    cells that a gate or lookup reads where its selectors are on, in the colour of the gate;
//             the left edge is dark where a cell is copied
//   fixed     cells with a value, paler where a fill runs to the end
//   instance  the cells of public inputs
//   selectors where they are on
//
// Where a row has less than a point of height a point stands for several, paler where not all are used.

import { under } from "./circuit-ir.js";
import { h } from "./dom.js";
import { number } from "./format.js";

const HEIGHT = 460;
const GAP = 14;

// What a kind of columns is called where it is narrow; as in formulas.
const SHORT = { advice: "a", fixed: "f", instance: "i", selector: "s" };
// Cells that are looked at for the picture, so that the largest circuit does not hold up the page.
const TOUCHES_MAX = 20_000_000;
const HUES = [205, 28, 130, 285, 350, 175, 55, 240, 95, 320];

// How often each point of a column is used, and by what: one counter for each row of points.
class Column {
  constructor(points) {
    this.used = new Float32Array(points);
    this.mark = new Float32Array(points);
    this.tone = new Int16Array(points).fill(-1);
  }
}

// What an expression needs: its selectors, and the cells that it reads.
const reads = (circuit, roots) => {
  const found = { selectors: new Set(), cells: new Map() };
  for (const index of roots.flatMap((root) => under(circuit, root, 65_536))) {
    const node = circuit.expressions[index];
    if (node.kind === "selector") found.selectors.add(node.index);
    const query = node.kind === "advice" ? circuit.queries.advice[node.index] : undefined;
    if (query) found.cells.set(`${query.column} ${query.rotation}`, query);
  }
  return found;
};

const rowsOf = (circuit) => {
  const rows = new Map();
  const list = circuit.selectorRows;
  for (let at = 0; at < list.length; at += 2) {
    if (!rows.has(list[at])) rows.set(list[at], []);
    rows.get(list[at]).push(list[at + 1]);
  }
  return rows;
};

// The last row with something in it, and one.
const height = (circuit) => {
  let last = Math.max(1, ...circuit.publicInputs.map((input) => input.rows));
  const look = (list, words, places) => {
    for (let at = 0; at < list.length; at += words)
      for (const place of places) last = Math.max(last, list[at + place] + 1);
  };
  look(circuit.fixedCells, 2, [1]);
  look(circuit.selectorRows, 2, [1]);
  look(circuit.copies, 4, [1, 3]);
  return Math.min(last, 2 ** circuit.k);
};

const make = (circuit) => {
  const rows = height(circuit);
  const points = Math.max(1, Math.min(HEIGHT, rows));
  const per = rows / points;
  const columns = (count) => Array.from({ length: count }, () => new Column(points));
  const kinds = {
    advice: columns(circuit.advice),
    fixed: columns(circuit.fixed),
    instance: columns(circuit.instance),
    selector: columns(circuit.selectors.length),
  };
  const touch = (column, row, tone, marked) => {
    if (!column || row < 0 || row >= rows) return;
    const point = Math.min(points - 1, Math.floor(row / per));
    if (marked) column.mark[point] += 1;
    else column.used[point] += 1;
    if (tone >= 0 && column.tone[point] < 0) column.tone[point] = tone;
  };
  return { rows, points, per, kinds, touch };
};

// The cells that gates and lookups read; a cell that several read is counted once. Says whether all of
// them could be looked at.
const drawReads = (circuit, picture) => {
  const on = rowsOf(circuit);
  const users = [...circuit.gates.map((gate) => gate.constraints.map((each) => each.expression)),
    ...circuit.lookups.map((each) => each.inputs)];
  let left = picture.rows * circuit.advice > TOUCHES_MAX ? 0 : TOUCHES_MAX;
  const seen = picture.kinds.advice.map(() => new Uint8Array(left > 0 ? picture.rows : 0));
  users.forEach((roots, tone) => {
    const { selectors, cells } = reads(circuit, roots);
    const rows = new Set([...selectors].flatMap((selector) => on.get(selector) ?? []));
    left -= rows.size * cells.size;
    if (left <= 0) return;
    for (const row of rows) for (const { column, rotation } of cells.values()) {
      const place = row + rotation;
      if (!seen[column] || place < 0 || place >= picture.rows || seen[column][place]) continue;
      seen[column][place] = 1;
      picture.touch(picture.kinds.advice[column], place, tone, false);
    }
  });
  return left > 0;
};

const drawRest = (circuit, { kinds, rows, touch }) => {
  const { fixedCells, fills, selectorRows, copies, permutation } = circuit;
  for (let at = 0; at < fixedCells.length; at += 2) touch(kinds.fixed[fixedCells[at]], fixedCells[at + 1], 0, false);
  for (let at = 0; at < fills.length; at += 2)
    for (let row = fills[at + 1]; row < rows; row += 1) touch(kinds.fixed[fills[at]], row, -1, true);
  for (let at = 0; at < selectorRows.length; at += 2) touch(kinds.selector[selectorRows[at]], selectorRows[at + 1], 1, false);
  for (let at = 0; at < copies.length; at += 2) {
    const column = permutation[copies[at]];
    if (column) touch(kinds[column.kind]?.[column.index], copies[at + 1], -1, true);
  }
  const next = new Map();
  for (const { column, rows: count } of circuit.publicInputs) {
    const from = next.get(column) ?? 0;
    for (let row = from; row < from + count; row += 1) touch(kinds.instance[column], row, 3, false);
    next.set(column, from + count);
  }
};

const paint = (canvas, { kinds, points, per, rows }, dark) => {
  const groups = Object.entries(kinds).filter(([, list]) => list.length > 0);
  const count = groups.reduce((total, [, list]) => total + list.length, 0);
  const wide = Math.max(3, Math.min(22, Math.floor((900 - GAP * groups.length) / Math.max(1, count))));
  const tall = HEIGHT / points;
  canvas.width = count * wide + GAP * groups.length + 44;
  canvas.height = HEIGHT + 26;
  const pen = canvas.getContext("2d");
  pen.font = "11px ui-monospace, monospace";
  const ink = dark ? "#aab2bd" : "#57606a";
  let x = 44;
  pen.fillStyle = ink;
  for (const part of [0, 0.25, 0.5, 0.75, 1]) pen.fillText(number(Math.round(part * rows)), 0, 22 + part * (HEIGHT - 2));
  for (const [kind, list] of groups) {
    pen.fillStyle = ink;
    pen.fillText(list.length * wide + GAP > 7 * kind.length ? kind : SHORT[kind], x, 10);
    for (const column of list) {
      pen.fillStyle = dark ? "#1d2430" : "#eef1f4";
      pen.fillRect(x, 16, wide - 1, HEIGHT);
      for (let point = 0; point < points; point += 1) {
        const [used, mark] = [Math.min(1, column.used[point] / per), Math.min(1, column.mark[point] / per)];
        const y = 16 + point * tall;
        if (used > 0) {
          const hue = HUES[Math.max(0, column.tone[point]) % HUES.length];
          pen.fillStyle = `hsl(${hue} 62% ${dark ? 58 : 48}% / ${0.25 + 0.75 * used})`;
          pen.fillRect(x, y, wide - 1, Math.max(1, tall));
        }
        if (mark > 0) {
          pen.fillStyle = dark ? `rgb(255 255 255 / ${0.2 + 0.5 * mark})` : `rgb(0 0 0 / ${0.2 + 0.5 * mark})`;
          pen.fillRect(x, y, Math.max(1, wide * 0.18), Math.max(1, tall));
        }
      }
      x += wide;
    }
    x += GAP;
  }
};

// The picture with its legend, drawn anew when the reader turns dark mode on or off.
export const layout = (circuit, signal) => {
  const picture = make(circuit);
  const whole = drawReads(circuit, picture);
  drawRest(circuit, picture);
  const label = `Layout: ${circuit.advice} advice, ${circuit.fixed} fixed and ${circuit.instance} instance columns, `
    + `${circuit.selectors.length} selectors, ${picture.rows} of ${2 ** circuit.k} rows`;
  const canvas = h("canvas", { role: "img", "aria-label": label, class: "layout" });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const draw = () => paint(canvas, picture, dark.matches);
  dark.addEventListener("change", draw, { signal });
  draw();
  const names = [...circuit.gates.map((gate) => gate.name || "gate"), ...circuit.lookups.map((_, index) => `lookup ${index}`)];
  const seen = new Set(picture.kinds.advice.flatMap((column) => [...column.tone]));
  const shown = names.map((name, index) => ({ name, index })).filter(({ index }) => seen.has(index));
  const legend = shown.slice(0, 2 * HUES.length).map(({ name, index }) =>
    h("li", { hue: HUES[index % HUES.length] }, h("span", { class: "swatch", "aria-hidden": "true" }), name));
  return h("figure", {}, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Layout of the circuit" }, canvas),
    h("figcaption", {}, `Rows 0 to ${number(picture.rows)} of ${number(2 ** circuit.k)}. Advice cells have the colour of the gate that reads them; dark edges are copies and fills.`,
      !whole && " The circuit is too large for all of its cells to be shown here: aureole plugin layout draws them.",
      h("ul", { class: "legend" }, legend)));
};
