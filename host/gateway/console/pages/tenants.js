// Tenants, for administrators.

import { get, replace } from "../api.js";
import { h, put } from "../dom.js";
import { bytes, number, when } from "../format.js";
import { badge, button, dialog, doing, field, heading, link, problemBox, section, table } from "../ui.js";
import { keySection } from "./keys.js";

const NAME = "Lower-case letters, digits and dashes, at most 63.";

const list = (tenants) => table("Tenants", [
  ["Tenant", (tenant) => link(tenant.id, `tenants/${encodeURIComponent(tenant.id)}`)],
  ["State", (tenant) => badge(tenant.suspended ? "suspended" : "ok")],
  ["Weight", (tenant) => number(tenant.weight), "right"],
  ["Live tasks", (tenant) => number(tenant.quotas.live_tasks), "right"],
  ["Core-seconds an hour", (tenant) => number(tenant.quotas.core_seconds), "right"],
  ["Inputs", (tenant) => bytes(tenant.quotas.queued_bytes), "right"],
  ["Components", (tenant) => bytes(tenant.quotas.stored_bytes), "right"],
  ["Made", (tenant) => (tenant.created_at ? when(tenant.created_at) : "from the start")],
], tenants);

const make = (context) => dialog("New tenant", (close) => {
  const name = h("input", { type: "text", required: true, autocomplete: "off", spellcheck: "false" });
  const told = h("div", {});
  const go = button("Make it", async () => {
    const tenant = await doing(go, told, () => replace(`admin/tenants/${encodeURIComponent(name.value.trim())}`, {}, context.signal));
    if (!tenant) return;
    close();
    context.go(`tenants/${encodeURIComponent(tenant.id)}`);
  }, "main");
  return [field("Name", name, NAME), told, h("div", { class: "buttons" }, go, button("Leave it", close))];
});

export const show = async (context) => {
  const place = h("div", {});
  const found = await get("admin/tenants", context.signal);
  put(place, list(found.tenants));
  const keys = await keySection(context).catch((problem) => section("Keys", problemBox(problem)));
  return [heading("Tenants", button("New tenant", () => make(context), "main")), place,
    h("p", { class: "quiet" }, "The columns after the weight are limits; – is none but the cluster's."), keys];
};
