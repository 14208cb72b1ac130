// The overview: queue, workers, throughput, latency and failures, live.

import { get, health } from "../api.js";
import { bars } from "../charts.js";
import { h, put } from "../dom.js";
import { number, quantile, short, span, when } from "../format.js";
import { Recent } from "../recent.js";
import { badge, heading, link, problemBox, section, table, tile, unseen } from "../ui.js";
import { usage } from "./tenant.js";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const REFRESH = 2_500;
export const STAGES = ["queue", "compile", "inspect", "keygen", "witness", "check", "prove", "verify"];

const tiles = (recent, workers) => {
  const proofs = recent.ended();
  const done = proofs.filter((task) => task.state === "done");
  const failed = proofs.filter((task) => task.state === "failed");
  const totals = done.map((task) => task.timings_ms?.total).filter((value) => value !== undefined && value !== null);
  const oldest = recent.queued[0];
  const joined = workers?.filter((worker) => worker.joined);
  return h("div", { class: "tiles" },
    tile("Queued", `${number(recent.queued.length)}${recent.moreQueued ? "+" : ""}`, oldest ? ["oldest ", when(oldest.submitted_at)] : "nothing waits"),
    tile("Running", number(recent.running.length), joined && `slots: ${joined.reduce((sum, worker) => sum + (worker.slots ?? 0), 0)}`),
    tile("Proofs, last hour", number(done.length), recent.whole ? undefined : "of the newest 1,000 tasks"),
    tile("Latency, half under", span(quantile(totals, 0.5)), `95% under ${span(quantile(totals, 0.95))}`),
    tile("Failed, last hour", number(failed.length), proofs.length > 0 ? `${((100 * failed.length) / proofs.length).toFixed(1)}% of all` : undefined, failed.length > 0 ? "bad" : undefined),
    workers && tile("Workers", number(joined.length), workers.some((worker) => worker.quarantined_at) ? "some in quarantine" : "none in quarantine", joined.length === 0 ? "bad" : undefined));
};

const throughput = (recent) => {
  const now = Math.floor(Date.now() / MINUTE);
  const minutes = Array.from({ length: 60 }, (_, index) => ({ at: now - 59 + index, done: 0, failed: 0 }));
  for (const task of recent.ended()) {
    const minute = minutes[Math.floor(new Date(task.finished_at) / MINUTE) - now + 59];
    if (minute && task.state === "done") minute.done += 1;
    if (minute && task.state === "failed") minute.failed += 1;
  }
  const [done, failed] = ["done", "failed"].map((state) => minutes.reduce((sum, minute) => sum + minute[state], 0));
  const most = Math.max(...minutes.map((minute) => minute.done + minute.failed));
  return h("figure", {},
    bars(`Proofs and failures in each of the last 60 minutes: ${done} done, ${failed} failed`,
      minutes.map((minute) => [["good", minute.done], ["bad", minute.failed]]),
      minutes.map((minute) => `${new Date(minute.at * MINUTE).toTimeString().slice(0, 5)}: ${minute.done} done, ${minute.failed} failed`)),
    h("figcaption", {}, `By minute, the last hour: ${number(done)} done, ${number(failed)} failed; at most ${number(most)} in a minute.`));
};

const latency = (recent) => {
  const proofs = recent.ended().filter((task) => task.state === "done" && task.timings_ms);
  const rows = STAGES.map((stage) => {
    const times = proofs.map((task) => task.timings_ms[stage]).filter((value) => value !== undefined && value !== null);
    return { stage, half: quantile(times, 0.5), most: quantile(times, 0.95) };
  }).filter((row) => row.half !== undefined);
  const top = Math.max(1, ...rows.map((row) => row.half));
  return table("Time by stage of the proofs of the last hour", [
    ["Stage", (row) => row.stage],
    ["Half under", (row) => span(row.half), "right"],
    ["95% under", (row) => span(row.most), "right"],
    [unseen("Share"), (row) => h("span", { class: "bar", share: `${(100 * row.half) / top}%` }), "bars"],
  ], rows, "No proof has ended in the last hour.");
};

const failures = (recent) => {
  const codes = new Map();
  for (const task of recent.ended().filter((each) => each.state === "failed")) {
    const code = task.error?.code ?? "unknown";
    const known = codes.get(code);
    if (!known || known.last.finished_at < task.finished_at) codes.set(code, { code, count: (known?.count ?? 0) + 1, last: task });
    else known.count += 1;
  }
  const rows = [...codes.values()].sort((a, b) => b.count - a.count);
  return table("Failures of the last hour by code", [
    ["Code", (row) => h("code", {}, row.code)],
    ["Tasks", (row) => number(row.count), "right"],
    ["Newest", (row) => [link(short(row.last.id), `tasks/${row.last.id}`), " ", when(row.last.finished_at)]],
  ], rows, "Nothing failed in the last hour.");
};

export const newest = (tasks) => table("Tasks", [
  ["Task", (task) => link(short(task.id), `tasks/${task.id}`)],
  ["State", (task) => badge(task.state)],
  ["Stage", (task) => (task.state === "running" ? task.stage ?? "–" : "")],
  ["Plugin", (task) => (task.plugin ? link(task.plugin.length > 40 ? short(task.plugin) : task.plugin, `plugins/${encodeURIComponent(task.plugin)}`) : "–")],
  ["Tenant", (task) => task.tenant],
  ["Priority", (task) => task.priority, "right"],
  ["Submitted", (task) => when(task.submitted_at)],
  ["Took", (task) => span(task.timings_ms?.total), "right"],
  ["Why", (task) => (task.error ? h("code", {}, task.error.code) : "")],
], tasks, "No tasks.");

const checksOf = (state) => table("What the node depends on", [
  ["Check", (check) => check.name],
  ["State", (check) => badge(check.ok ? "ok" : "missing")],
  ["In words", (check) => check.detail ?? ""],
], state.checks);

export const show = async (context) => {
  const { signal } = context;
  const recent = new Recent(HOUR, signal);
  const [top, chart, times, broken, list, node, own, told] = Array.from({ length: 8 }, () => h("div", {}));
  await recent.load();
  const refresh = async () => {
    const workers = context.may("admin") ? get("workers", signal).then((all) => all.workers) : undefined;
    const [state, joined] = await Promise.all([health(signal), workers, recent.refresh()]);
    put(told);
    put(top, tiles(recent, joined));
    put(chart, throughput(recent));
    put(times, latency(recent));
    put(broken, failures(recent));
    const tasks = [...recent.tasks.values()].sort((a, b) => (a.submitted_at < b.submitted_at ? 1 : -1));
    put(list, newest(tasks.slice(0, 12)));
    put(node, checksOf(state));
    // Administrators see every tenant on a page of its own.
    if (!context.may("admin")) put(own, section("Your tenant", usage((await get("me", signal)).usage)));
  };
  await refresh();
  setTimeout(() => context.every(REFRESH, refresh, (problem) => put(told, problemBox(problem))), REFRESH);
  return [
    heading("Overview", h("span", { class: "live" }, "live")), told, top,
    h("div", { class: "columns" }, section("Throughput", chart), section("Latency", times)),
    h("div", { class: "columns" }, section("Failures", broken), section("Health", node)),
    own,
    section("Newest tasks", list, h("p", {}, link("All tasks", "tasks"))),
  ];
};
