// Reads a circuit's canonical bytes (`aureole circuit1`, as plugins/ir writes them): the gates, the
// lookups and the layout, for formulas and the picture. Whatever the bytes are, it ends with a circuit
// or an error: every read is within the bytes, and nothing recurses.

const MAGIC = "aureole circuit1";

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  take(length) {
    if (this.at + length > this.bytes.length) throw new Error("the circuit's bytes end too early");
    this.at += length;
    return this.at - length;
  }

  tag() { return this.bytes[this.take(1)]; }

  u32() { return this.view.getUint32(this.take(4), true); }

  i32() { return this.view.getInt32(this.take(4), true); }

  // A field element, little-endian on the wire.
  field() {
    const at = this.take(32);
    let value = 0n;
    for (let limb = 3; limb >= 0; limb -= 1) value = (value << 64n) | this.view.getBigUint64(at + 8 * limb, true);
    return value;
  }

  text() {
    const length = this.u32();
    const at = this.take(length);
    return new TextDecoder().decode(this.bytes.subarray(at, at + length));
  }

  // `least` bytes stand behind each entry, so a count cannot ask for more memory than was sent.
  list(least, read) {
    const count = this.u32();
    if (count * least > this.bytes.length - this.at) throw new Error("the circuit's bytes end too early");
    return Array.from({ length: count }, () => read(this));
  }

  // Records of 32-bit words, of which the first `words` are read; the rest of a record is left.
  records(size, words) {
    const count = this.u32();
    const at = this.take(count * size);
    const read = new Uint32Array(count * words);
    for (let record = 0; record < count; record += 1)
      for (let word = 0; word < words; word += 1)
        read[record * words + word] = this.view.getUint32(at + record * size + 4 * word, true);
    return read;
  }
}

const KINDS = [undefined, "constant", "selector", "fixed", "advice", "instance", "negated", "sum", "product", "scaled"];
const COLUMNS = [undefined, "advice", "fixed", "instance"];

const expression = (r) => {
  const kind = KINDS[r.tag()];
  if (kind === "constant") return { kind, value: r.field() };
  if (kind === "sum" || kind === "product") return { kind, a: r.u32(), b: r.u32() };
  if (kind === "scaled") return { kind, a: r.u32(), value: r.field() };
  if (kind === "negated") return { kind, a: r.u32() };
  if (kind === undefined) throw new Error("an expression of a kind that is not known");
  return { kind, index: r.u32() };
};

const query = (r) => ({ column: r.u32(), rotation: r.i32() });
const word = (r) => r.u32();

const system = (r) => ({
  fixed: r.u32(),
  advice: r.u32(),
  instance: r.u32(),
  selectors: r.list(1, (each) => each.tag()),
  queries: { advice: r.list(8, query), instance: r.list(8, query), fixed: r.list(8, query) },
  expressions: r.list(5, expression),
  gates: r.list(8, (each) => ({
    name: each.text(),
    constraints: each.list(8, (inner) => ({ name: inner.text(), expression: inner.u32() })),
  })),
  lookups: r.list(8, (each) => ({ inputs: each.list(4, word), table: each.list(4, word) })),
  permutation: r.list(5, (each) => ({ kind: COLUMNS[each.tag()], index: each.u32() })),
  constants: r.list(4, word),
  minimumDegree: r.tag() === 1 ? r.u32() : undefined,
});

// A circuit from its bytes. Of the layout the places are read, not the values in them.
export const decode = (bytes) => {
  const r = new Reader(bytes);
  const magic = r.take(16);
  if (new TextDecoder().decode(bytes.subarray(magic, magic + 16)) !== MAGIC)
    throw new Error(`the bytes do not begin with "${MAGIC}"`);
  const [backend, field] = [r.tag(), r.tag()];
  if (backend !== 1 || field !== 1) throw new Error("a proof system that this console does not know");
  const circuit = {
    k: r.u32(),
    ...system(r),
    fills: r.records(40, 2),
    fixedCells: r.records(40, 2),
    selectorRows: r.records(8, 2),
    copies: r.records(16, 4),
    publicInputs: r.list(12, (each) => ({ name: each.text(), column: each.u32(), rows: each.u32() })),
  };
  if (r.at !== bytes.length) throw new Error("something follows the circuit's bytes");
  return circuit;
};

// The nodes under an expression's root, operands before their users; at most `most` of them.
export const under = (circuit, root, most) => {
  const wanted = [root];
  const seen = new Set();
  while (wanted.length > 0 && seen.size <= most) {
    const index = wanted.pop();
    const node = circuit.expressions[index];
    if (!node || seen.has(index)) continue;
    seen.add(index);
    if (node.a !== undefined) wanted.push(node.a);
    if (node.b !== undefined) wanted.push(node.b);
  }
  return [...seen].sort((a, b) => a - b);
};

// Rows that a proof does not use for itself: they blind it. As halo2 counts them.
export const usableRows = (circuit) => {
  const each = new Map();
  for (const { column } of circuit.queries.advice) each.set(column, (each.get(column) ?? 0) + 1);
  const most = Math.max(3, ...each.values());
  return 2 ** circuit.k - (most + 2) - 1;
};
