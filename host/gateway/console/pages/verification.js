// Verifying a proof in the page: what can be checked here is checked here (digests, the place in the
// log, the checkpoint's signature); the proof itself is verified by the node, against its circuit's key.

import { blob, get, post, text } from "../api.js";
import { h, put } from "../dom.js";
import { publicInputsDigest, receiptChecks } from "../log.js";
import { base64, hex, sha256 } from "../sha256.js";
import { button, checklist, doing, say } from "../ui.js";

const ofProof = async (task, signal) => {
  const proof = await blob(`tasks/${task.id}/proof`, signal);
  const verdict = await post("proofs/verify", { circuit: task.circuit, public_inputs: task.public_inputs ?? {}, proof: base64(proof) }, signal);
  const digest = hex(sha256(proof));
  return [{
    name: "The downloaded bytes have the digest that the task names.", ok: digest === task.proof.digest && proof.length === task.proof.bytes,
  }, {
    name: "The proof verifies under the circuit's key for these public inputs.",
    ok: verdict.valid, note: verdict.reason ?? (verdict.revoked ? `The key is revoked: ${verdict.revoked.reason}` : undefined),
  }];
};

const ofReceipt = async (task, signal) => {
  const [receipt, key, circuit] = await Promise.all([
    get(`tasks/${task.id}/receipt`, signal), text("log/key", signal), get(`circuits/${task.circuit}`, signal),
  ]);
  const { leaf, opening } = receipt;
  const checks = await receiptChecks(receipt, key);
  const inputs = publicInputsDigest(task.public_inputs, circuit.public_inputs ?? []);
  return [{
    name: "The log's leaf names this task, this circuit, its key and this proof.",
    ok: leaf.task === task.id && leaf.proof === task.proof.digest && leaf.circuit === circuit.circuit_digest && leaf.key === circuit.key_digest,
  }, ...checks, ...(opening ? [{ name: "The receipt's public inputs are the ones shown here.", ok: opening.public_inputs === inputs }] : [])];
};

export const verification = (task, context) => {
  const [told, list] = [h("div", {}), h("div", { id: "verdict" })];
  const go = button("Verify here", async () => {
    const checks = await doing(go, told, async () => {
      put(list, h("p", { class: "quiet" }, "Verifying …"));
      try {
        return [...await ofProof(task, context.signal), ...(task.receipt ? await ofReceipt(task, context.signal) : [])];
      } catch (problem) {
        put(list);
        throw problem;
      }
    });
    if (!checks) return;
    const good = checks.every((check) => check.ok !== false);
    put(list, h("p", { class: `verdict ${good ? "good" : "bad"}` }, good ? "Everything that was checked holds." : "Something does not hold."), checklist(checks));
    say(good ? "The proof verifies" : "The proof does not verify");
  }, undefined, { id: "verify" });
  return h("div", {}, h("div", { class: "buttons" }, go), told, list);
};
