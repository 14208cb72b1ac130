// Gates and lookups as formulas: infix, `a0` for advice column 0, `f` fixed, `i` instance, `s` a
// selector, `a0[+1]` the row below. Selectors that are factors of the whole stand in front. The same
// form as `aureole plugin inspect` prints.

import { under } from "./circuit-ir.js";

const MODULUS = 0x40000000000000000000000000000000224698fc094cf91b992d30ed00000001n;
const NODES_MAX = 20_000;
const CHARS_MAX = 2_000;

const atom = (text) => ({ negative: false, factors: [text] });

const short = (value) => {
  if (value < 2n ** 32n) return String(value);
  const binary = value.toString(2);
  return /^10*$/.test(binary) ? `2^${binary.length - 1}` : undefined;
};

const constant = (value) => {
  const plain = short(value);
  if (plain !== undefined) return atom(plain);
  const negated = short(MODULUS - value);
  if (negated !== undefined) return { negative: true, factors: [negated] };
  const digits = value.toString(16).padStart(64, "0");
  return atom(`0x${digits.slice(0, 6)}..${digits.slice(58)}`);
};

// Factors with equal ones as a power.
const powers = (factors) => {
  const counted = new Map();
  for (const factor of factors) counted.set(factor, (counted.get(factor) ?? 0) + 1);
  const raised = (factor, count) => (factor.includes("^") ? `(${factor})^${count}` : `${factor}^${count}`);
  return [...counted].map(([factor, count]) => (count > 1 ? raised(factor, count) : factor)).join(" * ");
};

const terms = (form) => form.terms ?? [[form.negative, powers(form.factors)]];

const sum = (list) => {
  const first = Math.max(0, list.findIndex(([minus]) => !minus));
  const ordered = [list[first], ...list.filter((_, index) => index !== first)];
  return ordered.map(([minus, text], index) =>
    (index === 0 ? (minus ? "-" : "") : minus ? " - " : " + ") + text).join("");
};

const text = (form) => (form.terms ? sum(form.terms) : `${form.negative ? "-" : ""}${powers(form.factors)}`);
const factors = (form) => (form.terms ? [false, [`(${text(form)})`]] : [form.negative, form.factors]);

const times = (a, b) => {
  const [[left, some], [right, more]] = [factors(a), factors(b)];
  const all = [...some, ...more];
  const kept = all.filter((factor) => factor !== "1");
  return { negative: left !== right, factors: kept.length > 0 ? kept : ["1"] };
};

const negated = (form) => (form.terms
  ? { terms: form.terms.map(([minus, each]) => [!minus, each]) }
  : { negative: !form.negative, factors: form.factors });

const LETTERS = { advice: "a", fixed: "f", instance: "i" };

const leaf = (circuit, node) => {
  if (node.kind === "selector") return atom(`s${node.index}`);
  const query = circuit.queries[node.kind]?.[node.index];
  if (!query) return atom("?");
  const turned = query.rotation === 0 ? "" : `[${query.rotation > 0 ? "+" : ""}${query.rotation}]`;
  return atom(`${LETTERS[node.kind]}${query.column}${turned}`);
};

const form = (circuit, root) => {
  const nodes = under(circuit, root, NODES_MAX);
  if (nodes.length > NODES_MAX) return atom("(an expression too long to read)");
  const made = new Map();
  const of = (index) => made.get(index) ?? atom("?");
  for (const index of nodes) {
    const node = circuit.expressions[index];
    let shown;
    if (node.kind === "constant") shown = constant(node.value);
    else if (node.kind === "negated") shown = negated(of(node.a));
    else if (node.kind === "sum") shown = { terms: [...terms(of(node.a)), ...terms(of(node.b))] };
    else if (node.kind === "product") shown = times(of(node.a), of(node.b));
    else if (node.kind === "scaled") shown = times(constant(node.value), of(node.a));
    else shown = leaf(circuit, node);
    made.set(index, text(shown).length > CHARS_MAX ? atom("(...)") : shown);
  }
  return of(root);
};

// A text without the parentheses around all of it.
const bare = (whole) => {
  if (!whole.startsWith("(") || !whole.endsWith(")") || whole === "(...)") return whole;
  const inner = whole.slice(1, -1);
  let depth = 0;
  for (const character of inner) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (depth < 0) return whole;
  }
  return inner;
};

// A polynomial that is zero wherever its selectors are on.
export const polynomial = (circuit, root) => {
  const made = form(circuit, root);
  if (made.terms) return { when: [], polynomial: text(made) };
  const when = made.factors.filter((factor) => /^s\d+$/.test(factor));
  const rest = made.factors.filter((factor) => !/^s\d+$/.test(factor));
  const whole = { negative: made.negative, factors: rest.length > 0 ? rest : ["1"] };
  return { when, polynomial: rest.length === 1 && !made.negative ? bare(text(whole)) : text(whole) };
};

// A lookup: on each row the inputs stand together in the table.
export const lookup = (circuit, { inputs, table }) => ({
  inputs: inputs.map((root) => text(form(circuit, root))),
  table: table.map((column) => `f${column}`),
});
