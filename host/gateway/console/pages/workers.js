// The cluster: what this node depends on, and, for administrators, the coordinators and the workers.

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

const place = (member) => {
  if (member.leader) return "leader";
  return member.voter ? "voter" : "learner";
};

const coordinators = (cluster) => [
  facts(["Cluster", cluster.name], ["Term", number(cluster.term)], ["Applied up to entry", number(cluster.applied)]),
  cluster.members.length > 0 && cluster.leader === undefined && h("p", { class: "verdict bad", role: "alert" }, "No leader: nothing is accepted until one is elected."),
  table("Coordinators", [
    ["Member", (member) => h("code", {}, member.id)],
    ["Place", (member) => badge(place(member))],
    ["Entries behind", (member) => (member.leader ? "–" : member.lag === undefined || member.lag === null ? "not heard of" : number(member.lag)), "right"],
  ], cluster.members, "One coordinator, on its own."),
];

const workerList = (workers, context, again) => table("All workers", [
  ["Name", (worker) => h("code", {}, worker.name)],
  ["State", (worker) => badge(state(worker))],
  ["Slots", (worker) => number(worker.slots), "right"],
  ["Cores", (worker) => number(worker.cores), "right"],
  ["Tasks", (worker) => number(worker.leases), "right"],
  ["Warm circuits", (worker) => number(worker.warm), "right"],
  ["Proofs that did not verify", (worker) => number(worker.invalid_proofs), "right"],
  ["In quarantine", (worker) => (worker.quarantined_at ? [when(worker.quarantined_at), " ",
    button("Trust it again", () => ask("Trust this worker again?", `${worker.name} gets tasks again. Find out first why its proofs did not verify.`,
      "Trust it", async () => { await remove(`workers/${encodeURIComponent(worker.name)}/quarantine`, context.signal); again(); }), "small")] : "–")],
], workers, "No worker is joined: tasks wait until one is.");

export const show = async (context) => {
  const { signal } = context;
  const [node, checks, group, workers, told] = Array.from({ length: 5 }, () => h("div", {}));
  const refresh = async () => {
    const found = await health(signal);
    put(node, facts(["State", badge(found.ready ? "ready" : "missing")], ["Node", found.node ? h("code", {}, found.node) : "a gateway on its own"], ["Version", found.version]));
    put(checks, table("What it depends on", [
      ["Check", (check) => check.name],
      ["State", (check) => badge(check.ok ? "ok" : "missing")],
      ["In words", (check) => check.detail ?? "", "wide"],
    ], found.checks));
    if (context.may("admin")) {
      const overview = await get("admin/overview", signal);
      put(group, coordinators(overview.cluster));
      put(workers, workerList(overview.workers, context, again));
    }
    put(told);
  };
  const failed = (problem) => put(told, problemBox(problem));
  const again = () => refresh().catch(failed);
  await refresh();
  setTimeout(() => context.every(REFRESH, refresh, failed), REFRESH);
  return [heading("Cluster", h("span", { class: "live" }, "live")), told, section("This node", node, checks),
    context.may("admin") ? [section("Coordinators", group), section("Workers", workers)] : h("p", { class: "quiet" }, "Coordinators and workers are shown to administrators."),
    h("p", { class: "quiet" }, "Coordinators are added, removed and followed with ", h("code", {}, "aureole cluster status"), ".")];
};
