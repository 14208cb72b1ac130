/** The client against a real node: `node test.mjs NODE COMPONENT`, with the API key in AUREOLE_KEY. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { test } from "node:test";

import { Aureole, AureoleError, TaskFailed, verifyWebhook } from "./aureole.mjs";

const [url, component] = process.argv.slice(2);
const INPUT = { leaves: [1, 2, 3].map((leaf) => `0x${leaf.toString().padStart(64, "0")}`), leaf_index: 1 };
const node = new Aureole(url, { key: process.env.AUREOLE_KEY });
const wasm = await readFile(component);
const plugin = await node.upload(wasm);

const refusedWith = (code) => (error) => error instanceof AureoleError && error.code === code;

test("a component becomes a plugin and an input a proof that verifies", async () => {
  assert.equal(plugin.name, "merkle");
  assert.equal(plugin.state, "ready");
  assert.ok((await node.plugins()).some((each) => each.name === "merkle"));
  assert.equal((await node.upload(wasm)).digest, plugin.digest);
  const submitted = await node.submit({ plugin: "merkle", input: INPUT });
  const states = [];
  for await (const seen of node.watch(submitted.id)) states.push(seen.state);
  assert.equal(states.at(-1), "done");
  const task = await node.task(submitted.id);
  const proof = await node.proof(task.id);
  assert.equal(proof.length, task.proof.bytes);
  assert.equal((await node.verify(task.circuit, task.public_inputs, proof)).valid, true);
  proof[0] ^= 1;
  assert.equal((await node.verify(task.circuit, task.public_inputs, proof)).valid, false);
  assert.equal((await node.circuit(task.circuit)).state, "ready");
  assert.ok((await node.circuitIr(task.circuit)).length > 0);
  assert.equal((await node.check(task.circuit, INPUT)).satisfied, true);
});

test("prove waits for the proof", async () => {
  const task = await node.prove("merkle", INPUT, { priority: 9, within: 120_000 });
  assert.equal(task.state, "done");
  assert.equal(task.priority, 9);
});

test("a key makes two submissions one task", async () => {
  const options = { idempotencyKey: "typescript-1" };
  const one = await node.submit({ plugin: "merkle", input: INPUT }, options);
  const two = await node.submit({ plugin: `merkle@${plugin.version}`, input: INPUT }, options);
  assert.equal(one.id, two.id);
  const other = { plugin: "merkle", input: { ...INPUT, leaf_index: 0 } };
  await assert.rejects(node.submit(other, options), refusedWith("request.idempotency_conflict"));
});

test("a refusal has its code and place", async () => {
  const wrong = { plugin: "merkle", input: { ...INPUT, leaf_index: "x" } };
  await assert.rejects(node.submit(wrong), (error) => {
    assert.equal(error.code, "input.schema");
    assert.equal(error.path, "/leaf_index");
    return true;
  });
  await assert.rejects(node.task(`tsk_${"0".repeat(32)}`), refusedWith("task.unknown"));
  await assert.rejects(node.plugin("../tasks"), refusedWith("request.id"));
});

test("a task without a proof is an error with the task", async () => {
  const task = await node.submit({ plugin: "merkle", input: INPUT, priority: 0 });
  try {
    await node.cancel(task.id);
  } catch (error) {
    assert.equal(error.code, "task.finished");
    return;
  }
  await assert.rejects(node.proof(task.id), (error) => {
    assert.ok(error instanceof TaskFailed);
    assert.equal(error.task.state, "cancelled");
    return true;
  });
});

test("tasks are listed page by page", async () => {
  const listed = [];
  for await (const task of node.allTasks({ limit: 2 })) listed.push(task.id);
  assert.ok(listed.length >= 3);
  assert.equal(new Set(listed).size, listed.length);
  assert.equal((await node.tasks({ limit: 1, state: "done" })).tasks.length, 1);
});

test("the node is ready", async () => {
  assert.equal((await node.ready()).ready, true);
});

/** A server that gives each connection the next answer; "" breaks off. */
async function script(t, ...answers) {
  const heads = [];
  const server = createServer((stream) => {
    const answer = answers[heads.length];
    stream.once("data", (data) => {
      heads.push(data.toString());
      stream.end(answer);
    });
    stream.on("error", () => {});
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return [`http://127.0.0.1:${server.address().port}`, heads];
}

const answer = (status, body, fields = "") =>
  `HTTP/1.1 ${status} X\r\nconnection: close\r\ncontent-length: ${body.length}\r\n${fields}\r\n${body}`;

test("a submission is made again under one key", async (t) => {
  const busy = answer(503, '{"code":"node.busy","status":503}');
  const [at, heads] = await script(t, "", busy, answer(202, '{"id":"tsk_1","state":"queued"}'));
  const client = new Aureole(at, { key: "aur_k" });
  assert.equal((await client.submit({ plugin: "merkle", input: {} })).id, "tsk_1");
  const keys = heads.map((head) => /^idempotency-key: (\w{32})\r$/im.exec(head)[1]);
  assert.equal(new Set(keys).size, 1);
  assert.ok(heads.every((head) => /^authorization: Bearer aur_k\r$/im.test(head)));
});

test("a test event is not sent twice", async (t) => {
  const [at, heads] = await script(t, "");
  await assert.rejects(new Aureole(at).testWebhook("whk_1"), refusedWith(undefined));
  assert.equal(heads.length, 1);
});

test("a redirect is not followed", async (t) => {
  const [at, heads] = await script(t, answer(302, "", "location: /elsewhere\r\n"));
  await assert.rejects(new Aureole(at, { key: "aur_k" }).plugins(), AureoleError);
  assert.equal(heads.length, 1);
});

test("a node that does not answer is given up on", async (t) => {
  const server = createServer(() => {});
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const at = `http://127.0.0.1:${server.address().port}`;
  await assert.rejects(new Aureole(at, { timeout: 50, retries: 1 }).plugins(), /not within 50 ms/);
});

test("only an address of a node is taken", () => {
  for (const bad of ["", "localhost", "file:///etc/passwd", "http://a/api/v1", "http://a/?x", "http://u:p@a"]) {
    assert.throws(() => new Aureole(bad), TypeError, bad);
  }
});

test("a signature binds id, time and body", async () => {
  const key = Buffer.alloc(32, 7);
  const body = '{"type":"task.done"}';
  const secret = `whsec_${key.toString("base64")}`;
  const tag = createHmac("sha256", key).update(`evt_1.1700000000.${body}`).digest("base64");
  const headers = {
    "webhook-id": "evt_1",
    "webhook-timestamp": "1700000000",
    "webhook-signature": `v1,AAAA v1,${tag}`,
  };
  const now = 1_700_000_010_000;
  assert.deepEqual(await verifyWebhook(secret, headers, body, { now }), { type: "task.done" });
  const event = await verifyWebhook(secret, new Headers(headers), Buffer.from(body), { now });
  assert.deepEqual(event, { type: "task.done" });
  const other = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
  for (const [given, fields, text, at] of [
    [secret, headers, body, now + 1_000_000],
    [secret, headers, `${body} `, now],
    [secret, { ...headers, "webhook-id": "evt_2" }, body, now],
    [secret, {}, body, now],
    [other, headers, body, now],
    ["x", headers, body, now],
  ]) {
    await assert.rejects(verifyWebhook(given, fields, text, { now: at }), AureoleError);
  }
});
