// A task: its stages live, why it waits or failed, its proof and receipt, verified in the page.

import { blob, events, get, remove } from "../api.js";
import { h, put } from "../dom.js";
import { bytes, number, short, span, when, words } from "../format.js";
import { ask, badge, button, doing, facts, folded, heading, link, problemBox, save, say, section, table, unseen } from "../ui.js";
import { failures } from "./failures.js";
import { STAGES } from "./overview.js";
import { verification } from "./verification.js";

const isFinal = (task) => ["done", "failed", "cancelled"].includes(task.state);
const TICK = 250;
const AGAIN = 1_500;

// Where the stages of a live task began, as this page saw them.
class Clock {
  constructor() { this.began = new Map(); }

  see(task) {
    const stage = task.state === "queued" ? "queue" : task.stage;
    if (!stage || isFinal(task)) return;
    if (!this.began.has(stage)) this.began.set(stage, stage === "queue" ? new Date(task.submitted_at).valueOf() : Date.now());
    if (this.current !== stage && this.current) this.ended(this.current);
    this.current = stage;
  }

  ended(stage) { this.done = { ...this.done, [stage]: Date.now() - this.began.get(stage) }; }
}

const timeline = (task, clock) => {
  const live = !isFinal(task);
  const times = live ? { ...clock.done, ...(clock.current && { [clock.current]: Math.max(0, Date.now() - clock.began.get(clock.current)) }) } : task.timings_ms ?? {};
  const named = [...STAGES, ...Object.keys(times).filter((stage) => !STAGES.includes(stage) && stage !== "total")];
  const rows = named.filter((stage) => times[stage] !== undefined && times[stage] !== null).map((stage) => ({ stage, took: times[stage] }));
  const whole = Math.max(1, rows.reduce((sum, row) => sum + row.took, 0));
  let from = 0;
  for (const row of rows) {
    row.from = from;
    from += row.took;
  }
  return [table("Stages of the task", [
    ["Stage", (row) => (live && row.stage === clock.current ? [badge("running"), " ", row.stage] : row.stage)],
    ["Took", (row) => span(row.took), "right"],
    [unseen("When"), (row) => h("span", { class: "track" }, h("span", { class: `bar stage-${row.stage}`, from: `${(100 * row.from) / whole}%`, share: `${(100 * row.took) / whole}%` })), "bars"],
  ], rows, live ? "It has not begun." : "No stage was timed."),
  task.timings_ms?.total !== undefined && task.timings_ms?.total !== null && h("p", {}, "From submission to the end: ", h("strong", {}, span(task.timings_ms.total)))];
};

const explanation = (told) => [
  h("p", { class: "summary" }, told.summary),
  told.wait !== "ended" && facts(["Waits for", words(told.wait)], ["Ahead of it", told.ahead !== undefined && told.ahead !== null ? `${number(told.ahead)}${told.ahead_is_more ? " or more" : ""}` : undefined],
    ["Queued in all", number(told.queued)], ["Starts in", told.starts_in_ms !== undefined && told.starts_in_ms !== null ? span(told.starts_in_ms) : undefined],
    ["Done in", told.ends_in_ms !== undefined && told.ends_in_ms !== null ? span(told.ends_in_ms) : undefined],
    ["Tenant's share", `${told.tenant}: weight ${told.weight}, ${number(told.tenant_running)} running`],
    ["An attempt takes", told.estimate && `${span(told.estimate.duration_ms)}, ${bytes(told.estimate.memory_bytes)}, ${told.estimate.threads} threads (${told.estimate.basis})`]),
];

const attempts = (task) => table("Attempts at the task", [
  ["Attempt", (each) => number(each.attempt), "right"],
  ["Worker", (each) => short(each.worker, 24)],
  ["Leased", (each) => when(each.leased_at)],
  ["Ended", (each) => (each.ended_at ? when(each.ended_at) : "runs")],
  ["Why without a proof", (each) => (each.problem ? [h("code", {}, each.problem.code), " ", each.problem.detail ?? ""] : ""), "wide"],
], task.attempts ?? [], "None yet.");

const publicInputs = (task) => table("Public inputs", [
  ["Public input", ([name]) => h("code", {}, name)],
  ["Elements", ([, elements]) => [elements].flat().slice(0, 64).map((each) => h("div", {}, h("code", { class: "formula" }, each))), "wide"],
], Object.entries(task.public_inputs ?? {}), "It has none.");

const downloads = (task, context) => {
  const told = h("div", {});
  const proof = button("Download the proof", () => doing(proof, told, async () =>
    save(`${task.id}.proof`, await blob(`tasks/${task.id}/proof`, context.signal))), "main", { id: "download-proof" });
  const receipt = task.receipt && button("Download the receipt", () => doing(receipt, told, async () =>
    save(`${task.id}.receipt.json`, `${JSON.stringify(await get(`tasks/${task.id}/receipt`, context.signal), null, 2)}\n`, "application/json")), undefined, { id: "download-receipt" });
  return [h("div", { class: "buttons" }, proof, receipt), told];
};

const proofSection = (task, context) => section("Proof",
  facts(["Size", bytes(task.proof.bytes)], ["SHA-256", h("code", {}, task.proof.digest)],
    ["In the log", task.receipt ? [`leaf ${number(task.receipt.leaf)}, `, link("the log", "receipts")] : "not yet"]),
  downloads(task, context), verification(task, context), h("h3", {}, "Public inputs"), publicInputs(task));

const failureSection = (task) => section("Why it failed", problemBox({ body: task.error }),
  task.error.failures?.length > 0 && failures(task.error.failures));

const acts = (task, context) => !isFinal(task) && context.may("admin", "author", "submitter")
  && button("Cancel", () => ask("Cancel this task?", "Its proof is stopped, and its input is destroyed.", "Cancel it",
    () => remove(`tasks/${task.id}`, context.signal)), "danger");

// Keeps a task up to date until it has ended: by its events, and by asking where those break off.
const follow = async (id, changed, context) => {
  while (!context.signal.aborted) {
    try {
      await events(`tasks/${id}/events`, (name) => { if (name === "task") changed(); }, context.signal);
    } catch {
      if (context.signal.aborted) return;
    }
    if (await changed()) return;
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
};

export const show = async (context) => {
  const { signal } = context;
  const id = encodeURIComponent(context.parts[0]);
  let task = await get(`tasks/${id}`, signal);
  const clock = new Clock();
  const [head, stages, why, rest] = Array.from({ length: 4 }, () => h("div", {}));
  const title = h("span", { id: "state" });
  const draw = () => {
    clock.see(task);
    put(title, badge(task.state));
    put(head, facts(["Id", h("code", {}, task.id)], ["Kind", task.kind],
      ["Plugin", task.plugin && link(task.plugin.length > 40 ? short(task.plugin) : task.plugin, `plugins/${encodeURIComponent(task.plugin)}`)],
      ["Circuit", task.circuit && link(h("code", {}, task.circuit), `circuits/${task.circuit}`)],
      ["Tenant", task.tenant], ["Priority", task.priority], ["Submitted", when(task.submitted_at)],
      ["Deadline", task.deadline && when(task.deadline)], ["Ended", task.finished_at && when(task.finished_at)]),
    acts(task, context));
    put(stages, timeline(task, clock));
    if (isFinal(task)) put(rest,
      task.state === "failed" && task.error && failureSection(task),
      task.proof && proofSection(task, context), section("Attempts", attempts(task)), folded("The task's document", task));
    else put(rest, section("Attempts", attempts(task)));
  };
  const explain = async () => put(why, explanation(await get(`tasks/${id}/explain`, signal)));
  let ended = false;
  const changed = async () => {
    if (ended) return true;
    const found = await get(`tasks/${id}`, signal);
    if (ended) return true;
    task = found;
    ended = isFinal(task);
    draw();
    await explain().catch(() => {});
    if (ended) say(`The task is ${task.state}`);
    return ended;
  };
  ended = isFinal(task);
  draw();
  await explain().catch((problem) => put(why, problemBox(problem)));
  if (!ended) {
    follow(id, () => changed().catch(() => false), context);
    context.every(TICK, () => { if (!ended) put(stages, timeline(task, clock)); });
  }
  return [heading("Task", title), head, section("Stages", stages), section("Explain", why), rest];
};
