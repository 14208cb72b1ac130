// The cluster: what this node depends on, and, for administrators, the workers.

import { get, health, remove } from "../api.js";
import { h, put } from "../dom.js";
import { number, when } from "../format.js";
import { ask, badge, button, facts, heading, problemBox, section, table } from "../ui.js";

const REFRESH = 3_000;

const state = (worker) => {
  if (worker.quarantined_at) return "quarantined";
  if (!worker.joined) return "away";
  return worker.draining ? "draining" : "joined";
};

const workerList = (workers, context, again) => table("All workers", [
  ["Name", (worker) => h("code", {}, worker.name)],
  ["State", (worker) => badge(state(worker))],
  ["Slots", (worker) => number(worker.slots), "right"],
  ["Cores", (worker) => number(worker.cores), "right"],
  ["Proofs that did not verify", (worker) => number(worker.invalid_proofs), "right"],
  ["In quarantine", (worker) => (worker.quarantined_at ? [when(worker.quarantined_at), " ",
    button("Trust it again", () => ask("Trust this worker again?", `${worker.name} gets tasks again. Find out first why its proofs did not verify.`,
      "Trust it", async () => { await remove(`workers/${encodeURIComponent(worker.name)}/quarantine`, context.signal); again(); }), "small")] : "–")],
], workers, "No worker is joined: tasks wait until one is.");

export const show = async (context) => {
  const { signal } = context;
  const [node, checks, workers, told] = Array.from({ length: 4 }, () => h("div", {}));
  const refresh = async () => {
    const found = await health(signal);
    put(node, facts(["State", badge(found.ready ? "ready" : "missing")], ["Node", found.node ? h("code", {}, found.node) : "a gateway on its own"], ["Version", found.version]));
    put(checks, table("What it depends on", [
      ["Check", (check) => check.name],
      ["State", (check) => badge(check.ok ? "ok" : "missing")],
      ["In words", (check) => check.detail ?? "", "wide"],
    ], found.checks));
    if (context.may("admin")) put(workers, workerList((await get("workers", signal)).workers, context, again));
    put(told);
  };
  const failed = (problem) => put(told, problemBox(problem));
  const again = () => refresh().catch(failed);
  await refresh();
  setTimeout(() => context.every(REFRESH, refresh, failed), REFRESH);
  return [heading("Cluster", h("span", { class: "live" }, "live")), told, section("This node", node, checks),
    context.may("admin") ? section("Workers", workers) : h("p", { class: "quiet" }, "Workers are shown to administrators."),
    h("p", { class: "quiet" }, "Members of the group of coordinators are looked after with ", h("code", {}, "aureole cluster status"), ".")];
};
