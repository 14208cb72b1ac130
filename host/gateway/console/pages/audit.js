// The audit trail: what was done by whom, newest first.

import { get } from "../api.js";
import { h, put } from "../dom.js";
import { number, short, when, words } from "../format.js";
import { choice, field, heading, save, button, table } from "../ui.js";

const list = (acts) => table("Administrative acts", [
  ["Number", (act) => number(act.number), "right"],
  ["When", (act) => when(act.at)],
  ["Who", (act) => h("code", {}, act.actor)],
  ["Act", (act) => words(act.act)],
  ["Tenant", (act) => act.tenant],
  ["To what", (act) => (act.subject ? short(act.subject, 24) : "–")],
  ["How", (act) => act.detail, "wide"],
], acts, "Nothing was done yet.");

export const show = async (context) => {
  const { acts } = await get("admin/audit", context.signal);
  const place = h("div", {});
  const kinds = [...new Set(acts.map((act) => act.act))].sort();
  const kind = choice([["", "every act"], ...kinds.map((name) => [name, words(name)])], "");
  const draw = () => put(place, list(acts.filter((act) => !kind.value || act.act === kind.value)));
  kind.addEventListener("change", draw);
  draw();
  return [heading("Audit trail", button("Download", () => save("audit.json", `${JSON.stringify(acts, null, 2)}\n`, "application/json"))),
    h("div", { class: "filter" }, field("Act", kind)), place];
};
