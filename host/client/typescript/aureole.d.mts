/** Types of `aureole.mjs`: the documents of the REST API and the client. */

export type TaskState = "queued" | "running" | "done" | "failed" | "cancelled";
export type Role = "admin" | "author" | "submitter" | "auditor";
export type EventKind = "task.done" | "task.failed" | "task.cancelled";
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** Field elements by the name of the public input: `0x` and 64 hex digits, big-endian. */
export type PublicInputs = Record<string, string | string[]>;

/** Why something was refused or failed: `application/problem+json`. */
export interface Problem {
  code: string;
  status: number;
  title?: string;
  detail?: string;
  type?: string;
  path?: string;
  task?: string;
  request_id?: string;
  [key: string]: unknown;
}

export interface Plugin {
  digest: string;
  bytes: number;
  state: "inspecting" | "ready" | "rejected" | "retired";
  registered_at: string;
  signer?: string;
  name?: string;
  version?: string;
  summary?: string;
  backend?: string;
  field?: string;
  params_schema?: Json;
  input_schema?: Json;
  default_params?: Json;
  default_circuit?: string;
  problem?: Problem;
  [key: string]: unknown;
}

export interface Circuit {
  id: string;
  state: "preparing" | "ready" | "rejected";
  component: string;
  params: Json;
  registered_at: string;
  circuit_digest?: string;
  key_digest?: string;
  problem?: Problem;
  [key: string]: unknown;
}

/** Who may use a plugin beside those who uploaded it. */
export type Sharing = { visibility: "private" | "public" } | { visibility: "shared"; with: string[] };

export interface Revocation {
  key_digest: string;
  reason: string;
  at: string;
}

export interface CircuitKey {
  circuit: string;
  key_digest: string;
  circuit_digest: string;
  /** Where the circuit's canonical bytes are; whoever verifies makes the key of them. */
  url: string;
  proof_bytes: number;
  names: string[];
  revoked?: Revocation;
}

export interface VerifyingKey {
  name: string;
  versions: {
    version: number;
    state: "current" | "superseded" | "revoked";
    circuit: string;
    key_digest: string;
    published_at: string;
    revoked?: Revocation;
  }[];
}

export interface Attempt {
  attempt: number;
  worker: string;
  leased_at: string;
  ended_at?: string;
  problem?: Problem;
}

export interface ProofRecord {
  digest: string;
  bytes: number;
  url: string;
  base64?: string;
}

export interface Task {
  id: string;
  kind: "inspect" | "prepare" | "prove";
  state: TaskState;
  stage?: string;
  priority: number;
  plugin?: string;
  circuit?: string;
  submitted_at: string;
  deadline?: string;
  finished_at?: string;
  attempts: Attempt[];
  timings_ms?: Record<string, number>;
  public_inputs?: PublicInputs;
  proof?: ProofRecord;
  error?: Problem;
  receipt?: { leaf: number; salt: string; public_inputs_digest: string; url: string };
  [key: string]: unknown;
}

/** Where a task stands, with an estimate of what remains. */
export interface TaskEvent {
  task: string;
  state: TaskState;
  stage?: string;
  attempt: number;
  summary?: string;
  starts_in_ms?: number;
  ends_in_ms?: number;
  error?: Problem;
}

export interface TaskPage {
  tasks: Task[];
  /** The `before` of the next page; absent on the last. */
  next?: string;
}

export interface TaskFilter {
  state?: TaskState;
  plugin?: string;
  circuit?: string;
  /** Submitted then or later. */
  since?: string | Date;
  /** Submitted before then. */
  until?: string | Date;
  /** `newest` first unless given. */
  sort?: "newest" | "oldest";
  before?: string;
  limit?: number;
}

/** What came of one submission of a batch. */
export interface BatchItem {
  status: number;
  task?: Task;
  problem?: Problem;
}

/** Exactly one of `plugin` and `circuit` is given. */
export interface TaskRequest {
  plugin?: string;
  circuit?: string;
  params?: Json;
  input: Json;
  /** 0 to 9; 9 goes first. */
  priority?: number;
  /** When the proof is of no use any more. */
  deadline?: string | Date;
}

export interface Verdict {
  valid: boolean;
  reason?: string;
  /** The circuit's key is revoked, so no proof under it is valid. */
  revoked?: Revocation;
}

/** A proof about the log, to be checked against the checkpoint beside it. */
export interface LogProof {
  of: number;
  size: number;
  root: string;
  hashes: string[];
  checkpoint: string;
}

/** Without a number there is no limit but the cluster's. */
export interface Quotas {
  live_tasks?: number;
  queued_bytes?: number;
  stored_bytes?: number;
  /** Within an hour. */
  core_seconds?: number;
}

export interface Tenant {
  id: string;
  weight: number;
  quotas: Quotas;
  suspended: boolean;
  created_at?: string;
}

export interface Usage {
  tenant: string;
  tasks: number;
  proofs: number;
  failed: number;
  live_tasks: number;
  running: number;
  quotas: Quotas;
  [key: string]: unknown;
}

export interface Me {
  tenant: string;
  role: Role;
  credential: string;
  usage: Usage;
}

export interface Key {
  id: string;
  tenant: string;
  role: Role;
  label: string;
  created_at: string;
  expires_at?: string;
  revoked_at?: string;
}

export interface KeyRequest {
  tenant: string;
  role: Role;
  label?: string;
  expires_at?: string | Date;
}

export interface AuditEntry {
  number: number;
  at: string;
  actor: string;
  tenant: string;
  act: string;
  subject?: string;
  detail: string;
}

export interface Overview {
  at: string;
  cluster: {
    name: string;
    term: number;
    leader?: number;
    applied?: number;
    members: { id: number; leader: boolean; voter: boolean; lag?: number }[];
  };
  tasks: { queued: number; waiting: number; running: number };
  tenants: { tenant: string; live: number; running: number; proofs: number; failed: number }[];
  tenant_count: number;
  workers: Worker[];
}

export interface Worker {
  name: string;
  joined: boolean;
  draining: boolean;
  invalid_proofs: number;
  cores?: number;
  slots?: number;
  quarantined_at?: string;
}

/** A stable code and what is promised about it. */
export interface Code {
  code: string;
  status: number;
  title: string;
  meaning: string;
  what_to_do: string;
}

export interface CheckReport {
  satisfied: boolean;
  code?: string;
  failures: { message: string; row: number; [key: string]: unknown }[];
  more: number;
}

export interface Webhook {
  id: string;
  url: string;
  events: EventKind[];
  public_inputs: boolean;
  created_at: string;
  /** Events that wait to be delivered. */
  pending: number;
  /** Events that were not queued, because too many waited. */
  missed: number;
  /** Only in the answer that created it. */
  secret?: string;
}

export interface Delivery {
  id: string;
  task: string;
  event: EventKind;
  state: "pending" | "delivered" | "dead";
  since: string;
  attempts: number;
  ended_at?: string;
  last_status?: number;
  last_failure?: string;
  last_attempt_at?: string;
  next_attempt_at?: string;
}

export interface WebhookTest {
  delivered: boolean;
  status?: number;
  failure?: string;
  took_ms: number;
}

/** What a receiver of webhooks reads. */
export interface Event {
  type: EventKind | "test";
  timestamp: string;
  data: Partial<Task>;
}

export interface Health {
  ready: boolean;
  version: string;
  node?: string;
  checks: { name: string; ok: boolean; detail?: string }[];
}

export interface Options {
  /** The API key, `aur_...`. */
  key?: string;
  /** How long an answer may take beyond what the node was asked to wait, in ms; 30,000 unless given. */
  timeout?: number;
  /** How often a call that may be made twice is made again; 4 unless given. */
  retries?: number;
  fetch?: typeof globalThis.fetch;
}

export interface Waiting {
  /** Milliseconds; the node waits at most 60,000. */
  wait?: number;
}

export interface Following {
  /** Milliseconds; 300,000 unless given. */
  within?: number;
  signal?: AbortSignal;
}

/** A call without its answer. */
export class AureoleError extends Error {
  /** The stable code of a refusal; absent when no node answered. */
  readonly code?: string;
  readonly status?: number;
  readonly problem?: Problem;
  /** Milliseconds after which the node wants to be asked again. */
  readonly retryAfter?: number;
  /** Where in the input or the body it went wrong, as a JSON pointer. */
  get path(): string | undefined;
}

/** A task ended without a proof. */
export class TaskFailed extends AureoleError {
  readonly task: Task;
}

/** A node, from outside. */
export class Aureole {
  constructor(url: string, options?: Options);
  plugins(): Promise<Plugin[]>;
  plugin(plugin: string, options?: Waiting): Promise<Plugin>;
  /** Uploads a component and waits for its inspection; `signature` is `ed25519:KEY:SIGNATURE` in hex digits. */
  upload(component: Uint8Array | ArrayBuffer, options?: Waiting & { signature?: string }): Promise<Plugin>;
  share(plugin: string, sharing: Sharing): Promise<Plugin>;
  retire(plugin: string): Promise<Plugin>;
  /** Registers a plugin's circuit and waits for its keys. */
  register(plugin: string, options?: Waiting & { params?: Json }): Promise<Circuit>;
  circuit(circuit: string, options?: Waiting): Promise<Circuit>;
  circuitIr(circuit: string): Promise<Uint8Array>;
  /** Says whether an input satisfies a circuit, without a task. */
  check(circuit: string, input: Json, options?: { reveal?: boolean }): Promise<CheckReport>;
  circuitKey(circuit: string): Promise<CircuitKey>;
  verifyingKeys(): Promise<{ keys: VerifyingKey[]; revocations: Revocation[] }>;
  verifyingKey(name: string): Promise<VerifyingKey>;
  /** Publishes a circuit's key under a name, or rotates the name to it; proofs under the one before verify. */
  publishKey(name: string, circuit: string): Promise<VerifyingKey>;
  /** Revokes a circuit's key for ever: no proof under it is valid any more. */
  revokeVerifyingKey(circuit: string, reason: string): Promise<CircuitKey>;
  /** Submits a task and answers at once; the same key with the same request is the same task. */
  submit(request: TaskRequest, options?: { idempotencyKey?: string }): Promise<Task>;
  /** Submits 1 to 100 tasks at once; each has an item in the answer, in their order. */
  submitAll(tasks: TaskRequest[], options?: { idempotencyKey?: string }): Promise<BatchItem[]>;
  task(task: string, options?: Waiting & { signal?: AbortSignal }): Promise<Task>;
  tasks(filter?: TaskFilter): Promise<TaskPage>;
  allTasks(filter?: TaskFilter): AsyncGenerator<Task, void, void>;
  /** The task as it changes, its end last; goes on over restarts of the node. */
  watch(task: string, options?: Following): AsyncGenerator<Task, void, void>;
  /** Where the task stands, as the node tells it by server-sent events; nothing twice, its end last. */
  events(task: string, options?: Following): AsyncGenerator<TaskEvent, void, void>;
  wait(task: string, options?: Following): Promise<Task>;
  /** Submits and waits; throws `TaskFailed` when there is no proof at the end. */
  prove(
    plugin: string,
    input: Json,
    options?: Following & Omit<TaskRequest, "plugin" | "circuit" | "input"> & { idempotencyKey?: string },
  ): Promise<Task>;
  cancel(task: string): Promise<Task>;
  explain(task: string): Promise<{ [key: string]: unknown }>;
  /** A done task's proof; its digest is checked. */
  proof(task: string): Promise<Uint8Array>;
  verify(circuit: string, publicInputs: PublicInputs, proof: Uint8Array): Promise<Verdict>;
  /** Has 1 to 64 proofs of one circuit verified, which is less work than one by one. */
  verifyAll(
    circuit: string,
    proofs: Iterable<[PublicInputs, Uint8Array]>,
  ): Promise<{ valid: boolean; verdicts: Verdict[] }>;
  /** The receipt of a done task's proof: it verifies offline, with the log's key. */
  receipt(task: string): Promise<{ [key: string]: unknown }>;
  /** The newest signed checkpoint of the log, a signed note. */
  checkpoint(): Promise<string>;
  /** What the node says is its log's key; whoever trusts it has got it another way. */
  logKey(): Promise<string>;
  inclusion(index: number, options?: { size?: number }): Promise<LogProof>;
  consistency(from: number, options?: { to?: number }): Promise<LogProof>;
  /** A tile of the log, or a bundle of its entries, by its path below `tile/`. */
  tile(path: string): Promise<Uint8Array>;
  /** Subscribes a URL to the ends of tasks; `secret` is in this answer only. */
  createWebhook(url: string, options?: { events?: EventKind[]; publicInputs?: boolean }): Promise<Webhook>;
  webhooks(): Promise<Webhook[]>;
  webhook(webhook: string): Promise<Webhook>;
  deleteWebhook(webhook: string): Promise<void>;
  /** Sends a test event now and says what came of it. */
  testWebhook(webhook: string): Promise<WebhookTest>;
  deliveries(webhook: string): Promise<Delivery[]>;
  /** Delivers the end of a task again. */
  replay(webhook: string, task: string): Promise<Delivery>;
  me(): Promise<Me>;
  tenants(): Promise<Tenant[]>;
  tenant(tenant: string): Promise<Tenant>;
  /** Makes a tenant, or changes what is given of it; quotas are all of them at once. */
  putTenant(tenant: string, change?: { weight?: number; quotas?: Quotas; suspended?: boolean }): Promise<Tenant>;
  usage(tenant: string): Promise<Usage>;
  keys(options?: { tenant?: string }): Promise<Key[]>;
  /** Makes an API key; `secret` is in this answer only, so it is not asked for twice. */
  createKey(request: KeyRequest): Promise<{ key: Key; secret: string }>;
  revokeKey(key: string): Promise<Key>;
  audit(page?: { [name: string]: string | number }): Promise<{ acts: AuditEntry[] }>;
  /** The cluster at one moment: what waits and for whom, who works, who leads. */
  overview(): Promise<Overview>;
  workers(): Promise<Worker[]>;
  /** Takes a worker out of quarantine. */
  trustWorker(worker: string): Promise<Worker[]>;
  errors(): Promise<Code[]>;
  error(code: string): Promise<Code>;
  live(): Promise<boolean>;
  ready(): Promise<Health>;
}

/** Checks the signature of an event and reads it; throws when it is not the secret's. */
export function verifyWebhook(
  secret: string,
  headers: Headers | Record<string, string>,
  body: string | Uint8Array | ArrayBuffer,
  options?: { tolerance?: number; now?: number },
): Promise<Event>;
