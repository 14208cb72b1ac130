// What an input breaks: the gate and constraint by their authors' names, the region, the cells.

import { h } from "../dom.js";
import { number } from "../format.js";
import { table } from "../ui.js";

const what = (failure) => {
  if (failure.fault === "lookup") return `lookup ${failure.lookup ?? ""}`;
  const gate = failure.gate_name || (failure.gate !== undefined && failure.gate !== null ? `gate ${failure.gate}` : failure.fault);
  return failure.constraint_name ? `${gate}: ${failure.constraint_name}` : gate;
};

const cell = (each) => h("div", {}, h("code", {}, each.name), ` row ${number(each.row)}`,
  each.public_input && ` (public input ${each.public_input})`, each.value && [" = ", h("code", { class: "formula" }, each.value)]);

export const failures = (list) => table("What does not hold", [
  ["Fault", (failure) => failure.fault],
  ["Constraint", (failure) => h("strong", {}, what(failure)), "name"],
  ["Row", (failure) => (failure.rows > 1 ? `${number(failure.row)} and ${number(failure.rows - 1)} more` : number(failure.row))],
  ["Region", (failure) => (failure.region ? `${failure.region.name}, row ${failure.region.offset} of it` : "–")],
  ["Cells", (failure) => (failure.cells ?? []).map(cell), "wide"],
  ["In words", (failure) => failure.message, "wide"],
], list, "The node says no more than that.");
