// API keys: all of them or one tenant's; made, shown once, revoked.

import { get, post, remove, withQuery } from "../api.js";
import { h, put } from "../dom.js";
import { when } from "../format.js";
import { ask, badge, button, choice, dialog, doing, field, link, problemBox, section, table, unseen } from "../ui.js";

const ROLES = [["submitter", "submitter: uses plugins"], ["author", "author: publishes plugins too"], ["auditor", "auditor: reads, and the trail"], ["admin", "admin: runs the cluster"]];
const ENDS = [["", "never"], ["30", "after 30 days"], ["90", "after 90 days"], ["365", "after a year"]];
const DAY = 86_400_000;

const state = (key) => {
  if (key.revoked_at) return "revoked";
  return key.expires_at && new Date(key.expires_at) < new Date() ? "expired" : "ok";
};

// The key itself, which no answer shows again.
const shown = (made) => dialog("The new key", (close) => {
  const told = h("span", { class: "quiet", role: "status" });
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(made.secret);
      put(told, "copied");
    } catch {
      put(told, "select it and copy it yourself");
    }
  });
  return [h("p", {}, "It is shown this once: it is kept as a hash only."), h("p", {}, h("code", { class: "secret" }, made.secret)),
    h("div", { class: "buttons" }, copy, button("It is kept", close, "main"), told)];
});

const make = (tenant, context, again) => dialog("New key", (close) => {
  const whose = h("input", { type: "text", required: true, value: tenant ?? "", autocomplete: "off", readonly: tenant !== undefined });
  const role = choice(ROLES, "submitter");
  const label = h("input", { type: "text", maxlength: 128, autocomplete: "off" });
  const ends = choice(ENDS, "");
  const told = h("div", {});
  const go = button("Make it", async () => {
    const asked = { tenant: whose.value.trim(), role: role.value };
    if (label.value.trim()) asked.label = label.value.trim();
    if (ends.value) asked.expires_at = new Date(Date.now() + Number(ends.value) * DAY).toISOString();
    const made = await doing(go, told, () => post("admin/keys", asked, context.signal));
    if (!made) return;
    close();
    again();
    shown(made);
  }, "main");
  return [field("Tenant", whose), field("Role", role), field("What it is for", label), field("Ends", ends), told,
    h("div", { class: "buttons" }, go, button("Leave it", close))];
});

const list = (keys, context, again) => table("API keys", [
  ["Key", (key) => h("code", {}, key.id)],
  ["Tenant", (key) => link(key.tenant, `tenants/${encodeURIComponent(key.tenant)}`)],
  ["Role", (key) => key.role],
  ["State", (key) => badge(state(key))],
  ["For", (key) => key.label, "wide"],
  ["Made", (key) => when(key.created_at)],
  ["Ends", (key) => (key.expires_at ? when(key.expires_at) : "never")],
  [unseen("Acts"), (key) => !key.revoked_at && button("Revoke", () => ask("Revoke this key?", `${key.id} (${key.label || key.role}) opens nothing from then on. This cannot be taken back.`,
    "Revoke it", async () => { await remove(`admin/keys/${key.id}`, context.signal); again(); }), "small", { "aria-label": `Revoke ${key.id}` })],
], keys, "No key.");

export const keySection = async (context, tenant) => {
  const place = h("div", {});
  const look = async () => put(place, list((await get(withQuery("admin/keys", { tenant }), context.signal)).keys, context, again));
  const again = () => look().catch((problem) => put(place, problemBox(problem)));
  await look();
  return section("Keys", place, h("div", { class: "buttons" }, button("New key", () => make(tenant, context, again), "main")));
};
