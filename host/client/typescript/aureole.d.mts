/** Types of `aureole.mjs`: the documents of the REST API and the client. */

export type TaskState = "queued" | "running" | "done" | "failed" | "cancelled";
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
  [key: string]: unknown;
}

export interface TaskPage {
  tasks: Task[];
  /** The `before` of the next page; absent on the last. */
  next?: string;
}

export interface TaskFilter {
  state?: TaskState;
  plugin?: string;
  before?: string;
  limit?: number;
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
  /** Uploads a component and waits for its inspection. */
  upload(component: Uint8Array | ArrayBuffer, options?: Waiting): Promise<Plugin>;
  retire(plugin: string): Promise<Plugin>;
  /** Registers a plugin's circuit and waits for its keys. */
  register(plugin: string, options?: Waiting & { params?: Json }): Promise<Circuit>;
  circuit(circuit: string, options?: Waiting): Promise<Circuit>;
  circuitIr(circuit: string): Promise<Uint8Array>;
  /** Says whether an input satisfies a circuit, without a task. */
  check(circuit: string, input: Json, options?: { reveal?: boolean }): Promise<CheckReport>;
  /** Submits a task and answers at once; the same key with the same request is the same task. */
  submit(request: TaskRequest, options?: { idempotencyKey?: string }): Promise<Task>;
  task(task: string, options?: Waiting & { signal?: AbortSignal }): Promise<Task>;
  tasks(filter?: TaskFilter): Promise<TaskPage>;
  allTasks(filter?: TaskFilter): AsyncGenerator<Task, void, void>;
  /** The task as it changes, its end last; goes on over restarts of the node. */
  watch(task: string, options?: Following): AsyncGenerator<Task, void, void>;
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
  ready(): Promise<Health>;
}

/** Checks the signature of an event and reads it; throws when it is not the secret's. */
export function verifyWebhook(
  secret: string,
  headers: Headers | Record<string, string>,
  body: string | Uint8Array | ArrayBuffer,
  options?: { tolerance?: number; now?: number },
): Promise<Event>;
