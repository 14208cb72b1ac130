// One tenant: what it uses beside what it may, its quotas, its keys.

import { get, replace } from "../api.js";
import { h, put } from "../dom.js";
import { bytes, number } from "../format.js";
import { badge, doing, facts, field, heading, meter, problemBox, section } from "../ui.js";
import { keySection } from "./keys.js";

const REFRESH = 5_000;
const QUOTAS = [
  ["live_tasks", "Unfinished tasks"], ["core_seconds", "Core-seconds an hour"],
  ["queued_bytes", "Bytes of their inputs"], ["stored_bytes", "Bytes of components"],
];

// What a tenant uses beside what it may.
export const usage = (used) => [
  h("div", { class: "meters" },
    meter("Unfinished tasks", used.live_tasks, used.quotas.live_tasks, number),
    meter("Core-seconds this hour", used.core_seconds_this_hour, used.quotas.core_seconds, number),
    meter("Bytes of inputs", used.queued_bytes, used.quotas.queued_bytes, bytes),
    meter("Bytes of components", used.stored_bytes, used.quotas.stored_bytes, bytes)),
  facts(["Running", number(used.running)], ["Proofs", number(used.proofs)], ["Failed", number(used.failed)],
    ["Tasks", number(used.tasks)], ["Core-seconds so far", number(used.core_seconds)], ["Inputs so far", bytes(used.input_bytes)], ["Plugins", number(used.plugins)]),
];

const settings = (tenant, context, changed) => {
  const weight = h("input", { type: "number", min: 1, max: 10_000, required: true, value: tenant.weight });
  const suspended = h("input", { type: "checkbox", checked: tenant.suspended, id: "suspended" });
  const limits = QUOTAS.map(([name, title]) => [name, title, h("input", { type: "number", min: 0, value: tenant.quotas[name] ?? "" })]);
  const told = h("div", {});
  const go = h("button", { type: "submit", class: "main" }, "Save");
  const form = h("form", { class: "grid" }, field("Weight", weight, "Its part beside others who have work; 100 is ordinary."),
    limits.map(([, title, control]) => field(title, control, "Empty: no limit but the cluster's.")),
    h("div", { class: "field" }, h("label", { class: "flag", for: "suspended" }, suspended, " Suspended: may do nothing")), told, h("div", { class: "buttons" }, go));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const quotas = Object.fromEntries(limits.filter(([, , control]) => control.value !== "").map(([name, , control]) => [name, Number(control.value)]));
    const found = await doing(go, told, () => replace(`admin/tenants/${encodeURIComponent(tenant.id)}`,
      { weight: Number(weight.value), suspended: suspended.checked, quotas }, context.signal));
    if (found) {
      put(told, h("p", { role: "status" }, "Saved."));
      changed(found);
    }
  });
  return form;
};

export const show = async (context) => {
  const { signal } = context;
  const id = encodeURIComponent(context.parts[0]);
  const tenant = await get(`admin/tenants/${id}`, signal);
  context.title(tenant.id);
  const [used, state] = [h("div", {}), h("span", {})];
  const mark = (found) => put(state, badge(found.suspended ? "suspended" : "ok"));
  const look = async () => put(used, usage(await get(`admin/tenants/${id}/usage`, signal)));
  const again = () => look().catch((problem) => put(used, problemBox(problem)));
  mark(tenant);
  await again();
  setTimeout(() => context.every(REFRESH, again), REFRESH);
  return [heading(tenant.id, state), section("Use", used),
    section("Settings", settings(tenant, context, (found) => { mark(found); again(); })), await keySection(context, tenant.id)];
};
