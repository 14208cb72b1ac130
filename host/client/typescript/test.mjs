/** The client against a real node: `node test.mjs NODE COMPONENT`, with the API key in AUREOLE_KEY. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { test } from "node:test";

import { Aureole, AureoleError, TaskFailed, verifyWebhook } from "./aureole.mjs";

const [url, component] = process.argv.slice(2);
const INPUT = { leaves: [1, 2, 3].map((leaf) => `0x${leaf.toString().padStart(64, "0")}`), leaf_index: 1 };
// Operations of the API that have no method, each with the reason.
const ABSENT = {
  root: "leads people to the console",
  console: "a page for people",
  consoleFile: "part of that page",
  docs: "a page for people",
  docsStyle: "part of that page",
  docsScript: "part of that page",
  openapi: "for those who generate clients, in place of this one",
  prove: "submit and wait are the same in two requests, and go on over a restart of the node",
};
const asked = new Set();
const heard = (at, options) => {
  asked.add(`${options.method} ${new URL(at).pathname}`);
  return fetch(at, options);
};
const client = (key, options) => new Aureole(url, { key, fetch: heard, ...options });
const node = client(process.env.AUREOLE_KEY);
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

test("lists are filtered and sorted", async () => {
  const since = new Date(Date.now() - 1_000);
  const inputs = [0, 2].map((leaf_index) => ({ ...INPUT, leaf_index }));
  const made = [];
  for (const input of inputs) made.push((await node.submit({ plugin: "merkle", input })).id);
  const ended = await Promise.all(made.map((id) => node.wait(id)));
  const filter = { since, sort: "oldest", state: "done", circuit: ended[0].circuit, plugin: "merkle" };
  const listed = (await node.tasks(filter)).tasks.map((task) => task.id);
  assert.deepEqual(listed.filter((id) => made.includes(id)), made);
  assert.deepEqual((await node.tasks({ until: "2020-01-01T00:00:00Z" })).tasks, []);
});

test("a batch is submitted and verified at once", async () => {
  const deadline = new Date(Date.now() + 3_600_000);
  const tasks = [0, 1].map((leaf_index) => ({ plugin: "merkle", input: { ...INPUT, leaf_index } }));
  tasks.push({ ...tasks[0], deadline }, { plugin: "nobody", input: {} });
  const options = { idempotencyKey: "typescript-batch" };
  const items = await node.submitAll(tasks, options);
  assert.deepEqual(items.map((item) => item.status), [202, 202, 202, 404]);
  assert.equal(items[3].problem.code, "plugin.unknown");
  const ids = (of) => of.slice(0, 3).map((item) => item.task.id);
  assert.deepEqual(ids(await node.submitAll(tasks, options)), ids(items));
  const done = await Promise.all(ids(items).map((id) => node.wait(id)));
  const proofs = [];
  for (const task of done) proofs.push([task.public_inputs, await node.proof(task.id)]);
  const report = await node.verifyAll(done[0].circuit, proofs);
  assert.deepEqual([report.valid, report.verdicts.length], [true, 3]);
  proofs[1][1][0] ^= 1;
  const { verdicts } = await node.verifyAll(done[0].circuit, proofs);
  assert.deepEqual(verdicts.map((verdict) => verdict.valid), [true, false, true]);
});

test("events end with the task", async () => {
  const { id } = await node.submit({ plugin: "merkle", input: INPUT });
  const states = [];
  for await (const event of node.events(id)) {
    assert.equal(event.task, id);
    states.push(event.state);
  }
  assert.equal(states.indexOf("done"), states.length - 1);
  await assert.rejects(node.events(`tsk_${"0".repeat(32)}`).next(), refusedWith("task.unknown"));
});

test("a key is published and revoked", async () => {
  // A circuit of its own: what is revoked stays so.
  const params = { ...plugin.default_params, depth: 6 };
  const circuit = (await node.register("merkle", { params })).id;
  const task = await node.wait((await node.submit({ circuit, input: INPUT })).id);
  const proof = await node.proof(task.id);
  const published = await node.publishKey("typescript-key", circuit);
  const current = published.versions.at(-1);
  assert.equal(current.state, "current");
  assert.deepEqual(await node.verifyingKey("typescript-key"), published);
  assert.ok((await node.verifyingKeys()).keys.some((key) => key.name === "typescript-key"));
  assert.equal((await node.circuitKey(circuit)).key_digest, current.key_digest);
  assert.equal((await node.verify(circuit, task.public_inputs, proof)).valid, true);
  assert.equal((await node.revokeVerifyingKey(circuit, "a trial")).revoked.reason, "a trial");
  const verdict = await node.verify(circuit, task.public_inputs, proof);
  assert.deepEqual([verdict.valid, verdict.revoked.reason], [false, "a trial"]);
});

test("a proof has its receipt in the log", async () => {
  const task = await node.prove("merkle", INPUT);
  assert.ok(await node.receipt(task.id));
  const [origin, lines, root] = (await node.checkpoint()).split("\n");
  const [leaf, size] = [task.receipt.leaf, Number(lines)];
  assert.ok(size > leaf);
  assert.ok((await node.logKey()).startsWith(`${origin}+`));
  const proof = await node.inclusion(leaf, { size });
  assert.deepEqual([proof.of, proof.size], [leaf, size]);
  assert.equal(Buffer.from(proof.root, "hex").toString("base64"), root);
  assert.equal((await node.consistency(leaf + 1)).of, leaf + 1);
  assert.equal((await node.tile(`0/000.p/${size}`)).length, 32 * size);
});

test("tenants, keys and quotas are administered", async () => {
  const name = `typescript-${Date.now()}`;
  const tenant = await node.putTenant(name, { weight: 50, quotas: { live_tasks: 0 } });
  assert.deepEqual([tenant.weight, tenant.quotas.live_tasks], [50, 0]);
  assert.deepEqual(await node.tenant(name), tenant);
  assert.ok((await node.tenants()).some((each) => each.id === name));
  const expires_at = new Date(Date.now() + 86_400_000);
  const made = await node.createKey({ tenant: name, role: "submitter", label: "of a test", expires_at });
  const theirs = client(made.secret, { retries: 0 });
  const { tenant: whose, role } = await theirs.me();
  assert.deepEqual([whose, role], [name, "submitter"]);
  assert.deepEqual((await node.keys({ tenant: name })).map((key) => key.id), [made.key.id]);
  await assert.rejects(theirs.tenants(), refusedWith("access.forbidden"));
  await node.share("merkle", { visibility: "shared", with: [name] });
  assert.equal((await theirs.plugin("merkle")).name, "merkle");
  await assert.rejects(theirs.submit({ plugin: "merkle", input: INPUT }), refusedWith("quota.live_tasks"));
  await node.share("merkle", { visibility: "private" });
  await assert.rejects(theirs.plugin("merkle"), AureoleError);
  assert.equal((await node.usage(name)).live_tasks, 0);
  assert.ok((await node.revokeKey(made.key.id)).revoked_at);
  await assert.rejects(theirs.me(), (error) => error.status === 401);
  const acts = (await node.audit()).acts.filter((act) => act.tenant === name).map((act) => act.act);
  assert.deepEqual(new Set(acts), new Set(["tenant_put", "key_created", "key_revoked"]));
});

test("the node and its workers are well", async () => {
  assert.equal(await node.live(), true);
  assert.equal((await node.ready()).ready, true);
  assert.ok((await node.workers()).every((worker) => worker.joined));
  const { cluster } = await node.overview();
  assert.ok(cluster.members.some((member) => member.leader && member.id === cluster.leader));
  await assert.rejects(node.trustWorker("nobody"), refusedWith("worker.unknown"));
  assert.equal((await node.error("worker.unknown")).status, 404);
  assert.ok((await node.errors()).some((each) => each.code === "task.unknown"));
  assert.equal((await node.plugin(`merkle@${plugin.version}`)).name, "merkle");
  assert.ok((await node.explain((await node.prove("merkle", INPUT)).id)).summary);
});

test("what is not there is not retired, and a webhook ends", async () => {
  for (const unknown of ["0".repeat(64), "merkle@9.9.9"]) {
    await assert.rejects(node.retire(unknown), refusedWith("plugin.unknown"));
  }
  // Nobody listens there.
  const hook = await node.createWebhook("http://127.0.0.1:9/", { events: ["task.done"] });
  assert.match(hook.secret, /^whsec_/);
  const known = async () => (await node.webhooks()).some((each) => each.id === hook.id);
  assert.equal(await known(), true);
  assert.equal((await node.webhook(hook.id)).secret, undefined);
  assert.equal((await node.testWebhook(hook.id)).delivered, false);
  assert.deepEqual(await node.deliveries(hook.id), []);
  await assert.rejects(node.replay(hook.id, `tsk_${"0".repeat(32)}`), AureoleError);
  await node.deleteWebhook(hook.id);
  assert.equal(await known(), false);
});

test("each operation of the API was asked for above, or is absent by name", async () => {
  const { paths } = await (await fetch(`${url}/openapi.json`)).json();
  const places = [...asked].map((each) => each.split(" "));
  const lacking = [];
  for (const [path, operations] of Object.entries(paths)) {
    const form = new RegExp(`^${path.replaceAll("{tile}", ".+").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    // A path without a parameter is meant before one that it would fit too.
    const fits = (place) => place === path || (paths[place] === undefined && form.test(place));
    for (const [method, { operationId }] of Object.entries(operations)) {
      const known = places.some(([verb, place]) => verb === method.toUpperCase() && fits(place));
      if (!known && !(operationId in ABSENT)) lacking.push(operationId);
    }
  }
  assert.deepEqual(lacking, []);
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

test("events go on where they broke off", async (t) => {
  const first = 'id: a\nevent: task\ndata: {"state":"running"}\n\n: alive\n\nevent: stopping\ndata: {}\n\n';
  const second = 'id: b\nevent: task\ndata: {"state":"done"}\n\n';
  const busy = answer(503, '{"code":"node.busy","status":503}');
  const [at, heads] = await script(t, "", answer(200, first), busy, answer(200, second));
  const states = [];
  for await (const event of new Aureole(at).events("tsk_1")) states.push(event.state);
  assert.deepEqual(states, ["running", "done"]);
  assert.deepEqual(heads.map((head) => /^last-event-id: a\r$/im.test(head)), [false, false, true, true]);
  const gone = 'event: problem\ndata: {"code":"task.unknown","status":404}\n\n';
  const [other] = await script(t, answer(200, gone));
  await assert.rejects(new Aureole(other).events("tsk_1").next(), refusedWith("task.unknown"));
});

test("a key is not made twice", async (t) => {
  const [at, heads] = await script(t, "");
  await assert.rejects(new Aureole(at).createKey({ tenant: "acme", role: "author" }), AureoleError);
  assert.equal(heads.length, 1);
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
