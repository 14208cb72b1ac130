// What the console computes by itself, held to vectors that the Rust rooms made:
//   node mathematics.mjs VECTORS.json
// The log's proofs (host/receipts), and circuits' bytes and formulas (plugins/ir, host/draw).

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";

import { decode } from "../../host/gateway/console/circuit-ir.js";
import { lookup, polynomial } from "../../host/gateway/console/formula.js";
import { checkpoint, grew, isSigned, leafHash, rootOf } from "../../host/gateway/console/log.js";
import { hex, sha256, unbase64, unhex } from "../../host/gateway/console/sha256.js";

const vectors = JSON.parse(await readFile(process.argv[2], "utf8"));

const changed = (hashes) => hashes.map((hash, index) => (index === hashes.length - 1 ? hash.map((byte) => byte ^ 1) : hash));

for (let length = 0; length < 200; length += 1) {
  const bytes = randomBytes(length);
  assert.equal(hex(sha256(new Uint8Array(bytes))), createHash("sha256").update(bytes).digest("hex"), `SHA-256 of ${length} bytes`);
}

const leaves = vectors.logs.map((log) => unhex(log.leaf_hash));
const heads = vectors.logs.map((log) => ({ size: BigInt(log.size), root: unhex(log.root) }));
for (const [at, log] of vectors.logs.entries()) {
  const head = heads[at];
  assert.equal(hex(leafHash(log.leaf)), log.leaf_hash, `leaf ${at}`);
  for (const [index, inclusion] of log.inclusions.entries()) {
    const proof = inclusion.map(unhex);
    const name = `leaf ${index} in ${log.size}`;
    assert.equal(hex(rootOf(leaves[index], index, log.size, proof)), log.root, name);
    const wrong = rootOf(leaves[index], index, log.size, changed(proof));
    assert.ok(proof.length === 0 || !wrong || hex(wrong) !== log.root, `${name}, changed`);
    assert.equal(rootOf(leaves[index], index, log.size, [...proof, head.root]), undefined, `${name}, too long`);
    assert.equal(rootOf(leaves[index], log.size, log.size, proof), undefined, `${name}, beyond`);
  }
  for (const [before, growth] of log.growths.entries()) {
    const proof = growth.map(unhex);
    const name = `from ${before + 1} to ${log.size}`;
    assert.ok(grew(heads[before], head, proof), name);
    if (proof.length > 0) assert.ok(!grew(heads[before], head, changed(proof)), `${name}, changed`);
    const other = { size: heads[before].size, root: leaves[0].map((byte) => byte ^ 1) };
    assert.ok(!grew(other, head, proof), `${name}, of another log`);
  }
}

const opened = checkpoint(vectors.checkpoint);
assert.equal(hex(opened.root), vectors.logs.at(-1).root);
assert.equal(await isSigned(opened, vectors.key), true);
assert.equal(await isSigned(checkpoint(vectors.checkpoint.replace(`\n${opened.size}\n`, "\n41\n")), vectors.key), false);

for (const expected of vectors.circuits) {
  const bytes = unbase64(expected.bytes);
  const circuit = decode(bytes);
  assert.equal(circuit.k, expected.k);
  assert.equal(circuit.selectorRows.length, 2 * expected.selector_rows);
  assert.equal(circuit.copies.length, 4 * expected.copies);
  assert.equal(circuit.publicInputs.length, expected.public_inputs);
  const constraints = circuit.gates.flatMap((gate) => gate.constraints);
  assert.deepEqual(constraints.map((each) => polynomial(circuit, each.expression)), expected.gates);
  assert.deepEqual(circuit.lookups.map((each) => lookup(circuit, each)), expected.lookups);
  for (const length of [0, 15, 16, 40, bytes.length >> 1, bytes.length - 1])
    assert.throws(() => decode(bytes.subarray(0, length)), Error, `the first ${length} bytes`);
}
