// The mathematics of the log of accepted proofs, checked here and not by the node: leaves, inclusion,
// growth, and the signature of a checkpoint. The formats are those of host/receipts.

import { hex, join, same, sha256, unbase64, unhex } from "./sha256.js";

const utf8 = new TextEncoder();
const NODE = Uint8Array.of(1);
const nodeHash = (left, right) => sha256(join(NODE, left, right));

const big = (value) => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(value));
  return new Uint8Array(view.buffer);
};

// A leaf's hash from the fields of a receipt.
export const leafHash = (leaf) => sha256(join(
  Uint8Array.of(0, 1),
  unhex(leaf.task.replace(/^tsk_/, "")),
  ...[leaf.circuit, leaf.key, leaf.public_inputs, leaf.proof, leaf.verifier].map(unhex),
  big(leaf.submitted_ms),
  big(leaf.finished_ms),
));

// The root that a leaf's hash and its siblings lead to; nothing where the proof has another length.
export const rootOf = (leaf, index, size, siblings) => {
  let [at, last] = [BigInt(index), BigInt(size) - 1n];
  if (at > last) return undefined;
  let found = leaf;
  for (const sibling of siblings) {
    if (last === 0n) return undefined;
    if ((at & 1n) === 1n || at === last) {
      found = nodeHash(sibling, found);
      while ((at & 1n) === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      found = nodeHash(found, sibling);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n ? found : undefined;
};

// Whether a log of a later size begins with the leaves of an earlier one (RFC 9162, 2.1.4.2).
export const grew = (older, newer, hashes) => {
  if (older.size === newer.size) return hashes.length === 0 && same(older.root, newer.root);
  if (older.size === 0n || older.size > newer.size) return older.size === 0n;
  let [at, last] = [older.size - 1n, newer.size - 1n];
  while ((at & 1n) === 1n) [at, last] = [at >> 1n, last >> 1n];
  const path = at === 0n ? [older.root, ...hashes] : [...hashes];
  const first = path.shift();
  if (!first) return false;
  let [before, after] = [first, first];
  for (const sibling of path) {
    if (last === 0n) return false;
    if ((at & 1n) === 1n || at === last) {
      before = nodeHash(sibling, before);
      after = nodeHash(sibling, after);
      while ((at & 1n) === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      after = nodeHash(after, sibling);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n && same(before, older.root) && same(after, newer.root);
};

// A signed checkpoint in its parts.
export const checkpoint = (note) => {
  const cut = note.indexOf("\n\n");
  if (cut < 0) throw new Error("the checkpoint has no signatures");
  const [origin, size, root] = note.slice(0, cut).split("\n");
  const signatures = note.slice(cut + 2).split("\n").filter((line) => line.startsWith("— ")).map((line) => {
    const [name, text] = line.slice(2).split(" ");
    const bytes = unbase64(text);
    return { name, id: hex(bytes.subarray(0, 4)), signature: bytes.subarray(4) };
  });
  return { origin, size: BigInt(size), root: unbase64(root), text: note.slice(0, cut + 1), signatures };
};

// Whether a key of the form `name+id+base64` signed a checkpoint: `true`, `false`, or `undefined` where
// this browser cannot tell.
export const isSigned = async (opened, keyText) => {
  const [name, id, encoded] = keyText.trim().split("+");
  const whole = unbase64(keyText.trim().slice(name.length + id.length + 2) || encoded);
  const expected = hex(sha256(join(utf8.encode(`${name}\n`), whole)).subarray(0, 4));
  const ours = opened.signatures.find((each) => each.name === name && each.id === id);
  if (expected !== id || name !== opened.origin || whole[0] !== 1 || !ours) return false;
  try {
    const key = await crypto.subtle.importKey("raw", whole.subarray(1), { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, key, ours.signature, utf8.encode(opened.text));
  } catch {
    return undefined;
  }
};

// What the leaf says of public inputs, from the receipt's opening.
export const committed = (opening) =>
  hex(sha256(join(utf8.encode("aureole public inputs v1"), unhex(opening.salt), unhex(opening.public_inputs))));

// The digest of public inputs as the log has it: little-endian, in the circuit's order.
export const publicInputsDigest = (given, order) => {
  const texts = order.flatMap(({ name }) => [given?.[name] ?? []].flat());
  return hex(sha256(join(...texts.map((text) => unhex(text).reverse()))));
};

// Everything a receipt shows, as a list of checks.
export const receiptChecks = async (receipt, keyText) => {
  const opened = checkpoint(receipt.checkpoint);
  const root = rootOf(leafHash(receipt.leaf), receipt.index, opened.size, receipt.inclusion.map(unhex));
  const signed = await isSigned(opened, keyText);
  const size = `${opened.size} ${opened.size === 1n ? "leaf" : "leaves"}`;
  const checks = [
    { name: `Leaf ${receipt.index} leads to the root of the log of ${size}.`, ok: root !== undefined && same(root, opened.root) },
    { name: "The checkpoint is signed by this log's key.", ok: signed, note: signed === undefined ? "This browser has no Ed25519 here; use aureole receipts verify." : undefined },
  ];
  if (receipt.opening)
    checks.push({ name: "The leaf commits to these public inputs.", ok: committed(receipt.opening) === receipt.leaf.public_inputs });
  return checks;
};
