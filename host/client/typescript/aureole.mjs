/**
 * A client of an Aureole node: proofs of sandboxed halo2 circuits.
 *
 * One module, no dependencies, no build step: `fetch` and Web Crypto, as Node 20, Deno, Bun and
 * browsers have them. Types stand in `aureole.d.mts`. A refusal is an `AureoleError` with a stable code.
 *
 * A call is made again only when doing it twice does what doing it once does: reads, registrations and
 * cancels by their nature, submissions because each carries an idempotency key.
 */

const ANSWER_MAX = 256 * 1024 * 1024;
const WAIT_MAX = 60_000;
const POLL = 20_000;
const EVENT_MAX = 1024 * 1024;
const PAUSE_MAX = 30_000;
const FINAL = new Set(["done", "failed", "cancelled"]);

/** A call without its answer. */
export class AureoleError extends Error {
  constructor(message, { code, status, problem, retryAfter, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "AureoleError";
    this.code = code;
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** Where in the input or the body it went wrong, as a JSON pointer. */
  get path() {
    return this.problem?.path;
  }
}

/** A task ended without a proof. */
export class TaskFailed extends AureoleError {
  constructor(task) {
    const problem = task.error;
    const detail = problem?.detail ?? problem?.title ?? "no reason is given";
    super(`the task ${task.id} ended as ${task.state}: ${detail}`, {
      code: problem?.code,
      status: problem?.status,
      problem,
    });
    this.name = "TaskFailed";
    this.task = task;
  }
}

/** A node, from outside. */
export class Aureole {
  #base;
  #key;
  #timeout;
  #retries;
  #fetch;

  constructor(url, { key, timeout = 30_000, retries = 4, fetch = globalThis.fetch } = {}) {
    let parts;
    try {
      parts = new URL(url);
    } catch {
      throw new TypeError(`${url} is no address of a node: expected http://host:port`);
    }
    if (!["http:", "https:"].includes(parts.protocol)) {
      throw new TypeError(`${url} is no address of a node: expected http://host:port`);
    }
    if (parts.pathname !== "/" || parts.search || parts.hash || parts.username || parts.password) {
      throw new TypeError(`${url} must end after host and port`);
    }
    this.#base = parts.origin;
    this.#key = key;
    this.#timeout = timeout;
    this.#retries = retries;
    this.#fetch = fetch;
  }

  // Plugins and circuits

  async plugins() {
    return (await this.#json("GET", "/plugins")).plugins;
  }

  plugin(plugin, { wait = 0 } = {}) {
    return this.#json("GET", `/plugins/${pluginPath(plugin)}`, { wait });
  }

  upload(component, { wait = WAIT_MAX, signature } = {}) {
    const fields = { "content-type": "application/wasm" };
    if (signature !== undefined) fields["aureole-signature"] = signature;
    return this.#json("POST", "/plugins", { raw: component, fields, wait });
  }

  share(plugin, sharing) {
    return this.#json("PUT", `/plugins/${quoted(plugin)}/visibility`, { body: sharing });
  }

  retire(plugin) {
    return this.#json("DELETE", `/plugins/${pluginPath(plugin)}`);
  }

  register(plugin, { params, wait = WAIT_MAX } = {}) {
    return this.#json("POST", "/circuits", { body: { plugin, params }, wait });
  }

  circuit(circuit, { wait = 0 } = {}) {
    return this.#json("GET", `/circuits/${quoted(circuit)}`, { wait });
  }

  circuitIr(circuit) {
    return this.#call("GET", `/circuits/${quoted(circuit)}/ir`);
  }

  check(circuit, input, { reveal = false } = {}) {
    const path = `/circuits/${quoted(circuit)}/check`;
    return this.#json("POST", path, { body: { input, reveal }, wait: WAIT_MAX, asks: false });
  }

  // Verifying keys

  circuitKey(circuit) {
    return this.#json("GET", `/circuits/${quoted(circuit)}/key`);
  }

  verifyingKeys() {
    return this.#json("GET", "/verifying-keys");
  }

  verifyingKey(name) {
    return this.#json("GET", `/verifying-keys/${quoted(name)}`);
  }

  publishKey(name, circuit) {
    return this.#json("PUT", `/verifying-keys/${quoted(name)}`, { body: { circuit } });
  }

  revokeVerifyingKey(circuit, reason) {
    return this.#json("POST", `/circuits/${quoted(circuit)}/revocation`, { body: { reason } });
  }

  // Tasks

  submit({ plugin, circuit, params, input, priority, deadline }, { idempotencyKey } = {}) {
    // A date is written as the API reads it.
    const body = { plugin, circuit, params, input, priority, deadline };
    return this.#json("POST", "/tasks", { body, key: idempotencyKey ?? freshKey() });
  }

  async submitAll(tasks, { idempotencyKey } = {}) {
    const options = { body: { tasks }, key: idempotencyKey ?? freshKey(), wait: WAIT_MAX, asks: false };
    return (await this.#json("POST", "/tasks:batch", options)).items;
  }

  task(task, { wait = 0, signal } = {}) {
    return this.#json("GET", `/tasks/${quoted(task)}`, { wait, signal });
  }

  tasks(filter = {}) {
    return this.#json("GET", "/tasks", { query: filter });
  }

  async *allTasks(filter = {}) {
    let before = filter.before;
    do {
      const page = await this.tasks({ ...filter, before });
      yield* page.tasks;
      before = page.next;
    } while (before !== undefined);
  }

  /** The task as it changes, its end last. */
  async *watch(task, { within = 300_000, signal } = {}) {
    const end = performance.now() + within;
    let known;
    for (;;) {
      const left = Math.max(0, end - performance.now());
      const wait = known === undefined ? 0 : Math.min(POLL, left);
      const found = await this.task(task, { wait, signal });
      const mark = `${found.state} ${found.stage} ${found.attempts?.length}`;
      if (mark !== known) yield found;
      if (FINAL.has(found.state)) return;
      known = mark;
      if (performance.now() >= end) {
        throw new AureoleError(`the task ${task} is not finished after ${within} ms; it goes on`);
      }
    }
  }

  /** Where the task stands, as the node tells it; its end last. */
  async *events(task, { within = 300_000, signal } = {}) {
    const end = performance.now() + within;
    const path = `/api/v1/tasks/${quoted(task)}/events`;
    let last;
    for (let turn = 0; ; turn += 1) {
      try {
        for await (const { event, id, data } of this.#stream(path, last, end, signal)) {
          const told = JSON.parse(data);
          if (event === "problem") throw new AureoleError(told.detail, { ...told, problem: told });
          // The node stops, or this reader was too slow: it comes again.
          if (event !== "task") break;
          [last, turn] = [id, 0];
          yield told;
          if (FINAL.has(told.state)) return;
        }
      } catch (error) {
        const passes = error instanceof AureoleError && [undefined, 429, 503].includes(error.status);
        if (!passes || signal?.aborted || turn >= this.#retries) throw error;
      }
      if (performance.now() >= end) {
        throw new AureoleError(`the task ${task} is not finished after ${within} ms; it goes on`);
      }
      await sleep(Math.min(5_000, 200 * 2 ** turn), signal);
    }
  }

  async wait(task, options = {}) {
    let last;
    for await (const found of this.watch(task, options)) last = found;
    return last;
  }

  async prove(plugin, input, { within, signal, ...options } = {}) {
    const submitted = await this.submit({ plugin, input, ...options }, options);
    const task = await this.wait(submitted.id, { within, signal });
    if (task.state !== "done") throw new TaskFailed(task);
    return task;
  }

  cancel(task) {
    return this.#json("DELETE", `/tasks/${quoted(task)}`);
  }

  explain(task) {
    return this.#json("GET", `/tasks/${quoted(task)}/explain`);
  }

  async proof(task) {
    const found = await this.task(task);
    if (!found.proof) throw new TaskFailed(found);
    const proof = await this.#call("GET", `/tasks/${quoted(task)}/proof`);
    const digest = hex(await crypto.subtle.digest("SHA-256", proof));
    if (digest !== found.proof.digest) {
      throw new AureoleError(`the proof has the digest ${digest}, announced was another`);
    }
    return proof;
  }

  verify(circuit, publicInputs, proof) {
    const body = { circuit, public_inputs: publicInputs, proof: toBase64(proof) };
    return this.#json("POST", "/proofs/verify", { body });
  }

  verifyAll(circuit, proofs) {
    const claims = Array.from(proofs, ([public_inputs, proof]) => ({ public_inputs, proof: toBase64(proof) }));
    const body = { circuit, proofs: claims };
    return this.#json("POST", "/proofs/verify:batch", { body, wait: WAIT_MAX, asks: false });
  }

  // Receipts: what a node says here is checked by `aureole receipts`, or by any reader of C2SP logs

  receipt(task) {
    return this.#json("GET", `/tasks/${quoted(task)}/receipt`);
  }

  async checkpoint() {
    return text(await this.#call("GET", "/log/checkpoint"));
  }

  async logKey() {
    return text(await this.#call("GET", "/log/key")).trim();
  }

  inclusion(index, { size } = {}) {
    return this.#json("GET", "/log/inclusion", { query: { index, size } });
  }

  consistency(from, { to } = {}) {
    return this.#json("GET", "/log/consistency", { query: { from, to } });
  }

  tile(path) {
    return this.#call("GET", `/log/tile/${path.split("/").map(quoted).join("/")}`);
  }

  // Webhooks

  createWebhook(url, { events, publicInputs = false } = {}) {
    const body = { url, events, public_inputs: publicInputs };
    return this.#json("POST", "/webhooks", { body, key: freshKey() });
  }

  async webhooks() {
    return (await this.#json("GET", "/webhooks")).webhooks;
  }

  webhook(webhook) {
    return this.#json("GET", `/webhooks/${quoted(webhook)}`);
  }

  async deleteWebhook(webhook) {
    await this.#call("DELETE", `/webhooks/${quoted(webhook)}`, { again: false });
  }

  testWebhook(webhook) {
    return this.#json("POST", `/webhooks/${quoted(webhook)}/test`, { body: {}, again: false });
  }

  async deliveries(webhook) {
    return (await this.#json("GET", `/webhooks/${quoted(webhook)}/deliveries`)).deliveries;
  }

  replay(webhook, task) {
    const path = `/webhooks/${quoted(webhook)}/deliveries/${quoted(task)}/replay`;
    return this.#json("POST", path, { body: {} });
  }

  // Tenants, keys and workers: for administrators, but `me`

  me() {
    return this.#json("GET", "/me");
  }

  async tenants() {
    return (await this.#json("GET", "/admin/tenants")).tenants;
  }

  tenant(tenant) {
    return this.#json("GET", `/admin/tenants/${quoted(tenant)}`);
  }

  putTenant(tenant, change = {}) {
    return this.#json("PUT", `/admin/tenants/${quoted(tenant)}`, { body: change });
  }

  usage(tenant) {
    return this.#json("GET", `/admin/tenants/${quoted(tenant)}/usage`);
  }

  async keys({ tenant } = {}) {
    return (await this.#json("GET", "/admin/keys", { query: { tenant } })).keys;
  }

  createKey(request) {
    return this.#json("POST", "/admin/keys", { body: request, again: false });
  }

  revokeKey(key) {
    return this.#json("DELETE", `/admin/keys/${quoted(key)}`);
  }

  audit(page = {}) {
    return this.#json("GET", "/admin/audit", { query: page });
  }

  /** The cluster at one moment: what waits and for whom, who works, who leads. */
  overview() {
    return this.#json("GET", "/admin/overview");
  }

  async workers() {
    return (await this.#json("GET", "/workers")).workers;
  }

  async trustWorker(worker) {
    return (await this.#json("DELETE", `/workers/${quoted(worker)}/quarantine`)).workers;
  }

  // The node

  async errors() {
    return (await this.#json("GET", "/errors")).errors;
  }

  error(code) {
    return this.#json("GET", `/errors/${quoted(code)}`);
  }

  async live() {
    return JSON.parse(text(await this.#once("GET", "/health/live", {}, undefined, this.#timeout))).live;
  }

  async ready() {
    try {
      return JSON.parse(text(await this.#once("GET", "/health/ready", {}, undefined, this.#timeout)));
    } catch (error) {
      if (error instanceof AureoleError && error.status === 503 && error.problem) {
        return error.problem;
      }
      throw error;
    }
  }

  // One place that sends

  async #json(method, path, options) {
    const answer = await this.#call(method, path, options);
    try {
      return JSON.parse(text(answer));
    } catch (cause) {
      throw new AureoleError(`${this.#base} gave an answer that is not Aureole's`, { cause });
    }
  }

  async #call(method, path, options = {}) {
    const { body, fields, query = {}, wait, key, signal, again = true, asks = true } = options;
    const pairs = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined || value === null) continue;
      pairs.set(name, value instanceof Date ? value.toISOString() : String(value));
    }
    if (wait !== undefined && asks) pairs.set("wait", `${Math.trunc(Math.min(wait, WAIT_MAX))}ms`);
    const place = `/api/v1${path}${pairs.size > 0 ? `?${pairs}` : ""}`;
    const headers = { ...fields };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (key !== undefined) headers["idempotency-key"] = key;
    const sent = body === undefined ? options.raw : JSON.stringify(body);
    const timeout = this.#timeout + (wait ?? 0);
    for (let turn = 0; ; turn += 1) {
      try {
        return await this.#once(method, place, headers, sent, timeout, signal);
      } catch (error) {
        if (!(error instanceof AureoleError) || signal?.aborted) throw error;
        const status = error.status;
        const may = status === 429 || (again && (status === undefined || status === 503));
        const grown = Math.min(5_000, 200 * 2 ** turn) * (1 + Math.random());
        const pause = Math.max(grown, error.retryAfter ?? 0);
        if (!may || turn >= this.#retries || pause > PAUSE_MAX) throw error;
        await sleep(pause, signal);
      }
    }
  }

  #once(method, place, headers, body, timeout, signal) {
    const fields = { accept: "application/json", ...headers };
    const limit = AbortSignal.timeout(timeout);
    return this.#open(method, place, fields, body, timeout, limit, signal, read);
  }

  /** The events of one connection, until it or the time ends. */
  async *#stream(place, last, end, signal) {
    const fields = { accept: "text/event-stream" };
    if (last !== undefined) fields["last-event-id"] = last;
    const limit = new AbortController();
    // A comment comes every few seconds, so a silent connection is a dead one.
    let timer;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => limit.abort(), Math.max(1, Math.min(this.#timeout, end - performance.now())));
    };
    alive();
    try {
      const use = (answer) => answer.body ?? [];
      const body = await this.#open("GET", place, fields, undefined, this.#timeout, limit.signal, signal, use);
      const decoder = new TextDecoder();
      let rest = "";
      for await (const part of body) {
        alive();
        rest += decoder.decode(part, { stream: true });
        const blocks = rest.split("\n\n");
        rest = blocks.pop();
        if (rest.length > EVENT_MAX) throw new AureoleError(`an event has more than ${EVENT_MAX} characters`);
        for (const block of blocks) {
          const event = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2)));
          if (event.data !== undefined) yield event;
        }
      }
    } catch (cause) {
      if (cause instanceof AureoleError || signal?.aborted) throw cause;
      throw new AureoleError(`the events of ${this.#base} broke off: ${cause.message}`, { cause });
    } finally {
      clearTimeout(timer);
      limit.abort();
    }
  }

  async #open(method, place, fields, body, timeout, limit, signal, use) {
    if (this.#key !== undefined) fields.authorization = `Bearer ${this.#key}`;
    let answer;
    let bytes;
    try {
      answer = await this.#fetch(this.#base + place, {
        method,
        headers: fields,
        body,
        // A node never redirects, so a key is never sent elsewhere.
        redirect: "manual",
        credentials: "omit",
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      });
      if (answer.ok) return await use(answer);
      bytes = await read(answer);
    } catch (cause) {
      if (cause instanceof AureoleError || signal?.aborted) throw cause;
      const reason = limit.aborted ? `not within ${timeout} ms` : (cause.cause?.message ?? cause.message);
      throw new AureoleError(`no answer from ${this.#base}: ${reason}`, { cause });
    }
    throw refusal(answer, bytes);
  }
}

/**
 * Checks the signature of an event and reads it. `headers` is a `Headers`, or an object of a request's
 * fields; `body` its bytes or text as they came. The caller ignores an event whose `webhook-id` it has
 * had.
 */
export async function verifyWebhook(secret, headers, body, { tolerance = 300_000, now = Date.now() } = {}) {
  const fields = new Headers(headers);
  const id = fields.get("webhook-id");
  const stamp = fields.get("webhook-timestamp");
  const signatures = fields.get("webhook-signature");
  if (id === null || signatures === null || !/^\d+$/.test(stamp ?? "")) {
    throw new AureoleError("the request carries no signature");
  }
  if (Math.abs(now - Number(stamp) * 1000) > tolerance) {
    throw new AureoleError("the signature's time is too far away");
  }
  if (!secret.startsWith("whsec_")) throw new AureoleError("a webhook's secret begins with whsec_");
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
  const head = new TextEncoder().encode(`${id}.${stamp}.`);
  const signed = new Uint8Array(head.length + bytes.length);
  signed.set(head);
  signed.set(bytes, head.length);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const raw = fromBase64(secret.slice("whsec_".length));
  const key = await crypto.subtle.importKey("raw", raw, algorithm, false, ["verify"]);
  for (const signature of signatures.split(" ")) {
    if (!signature.startsWith("v1,")) continue;
    let tag;
    try {
      tag = fromBase64(signature.slice("v1,".length));
    } catch {
      continue;
    }
    if (await crypto.subtle.verify("HMAC", key, tag, signed)) return JSON.parse(text(bytes));
  }
  throw new AureoleError("the signature is not the secret's");
}

async function read(answer) {
  const parts = [];
  let size = 0;
  for await (const part of answer.body ?? []) {
    size += part.length;
    if (size > ANSWER_MAX) throw new AureoleError(`the answer has more than ${ANSWER_MAX} bytes`);
    parts.push(part);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function refusal(answer, bytes) {
  const status = answer.status;
  const after = answer.headers.get("retry-after") ?? "";
  const retryAfter = /^\d+$/.test(after) ? Number(after) * 1000 : undefined;
  let problem;
  try {
    problem = JSON.parse(text(bytes));
  } catch {
    problem = undefined;
  }
  if (typeof problem !== "object" || problem === null) {
    return new AureoleError(`status ${status}, and no document of a node`, { status, retryAfter });
  }
  const code = problem.code;
  const detail = problem.detail ?? problem.title ?? `status ${status}`;
  const message = code === undefined ? detail : `${detail} (${code})`;
  return new AureoleError(message, { code, status, problem, retryAfter });
}

function sleep(millis, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, millis);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

const text = (bytes) => new TextDecoder().decode(bytes);
const quoted = (segment) => encodeURIComponent(segment);
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const freshKey = () => hex(crypto.getRandomValues(new Uint8Array(16)).buffer);
const fromBase64 = (encoded) => Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));

function toBase64(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function pluginPath(plugin) {
  const at = plugin.indexOf("@");
  if (at < 0) return quoted(plugin);
  return `${quoted(plugin.slice(0, at))}/${quoted(plugin.slice(at + 1))}`;
}
