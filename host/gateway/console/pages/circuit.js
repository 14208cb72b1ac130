// A circuit: its shape, gates and layout, what it costs, its key, and a form to try it.

import { blob, get, post, replace, withQuery } from "../api.js";
import { decode, usableRows } from "../circuit-ir.js";
import { h, put } from "../dom.js";
import { lookup, polynomial } from "../formula.js";
import { bytes, counted, number, quantile, span, when, words } from "../format.js";
import { layout } from "../layout.js";
import { badge, button, dialog, doing, facts, field, folded, heading, link, lints, problemBox, section, table, tile } from "../ui.js";
import { STAGES, newest } from "./overview.js";
import { trial } from "./trial.js";

// Circuits whose bytes are read into the page by themselves; larger ones when the reader asks.
const READ_MAX_K = 16;
const GATES_MAX = 200;

const shapeTiles = (circuit) => h("div", { class: "tiles" },
  tile("Rows", `2^${circuit.shape.k}`, `${number(circuit.shape.rows_used)} with something in them`),
  tile("Degree", number(circuit.shape.degree)),
  tile("Advice", number(circuit.shape.advice_columns), "columns"),
  tile("Fixed", number(circuit.shape.fixed_columns), "columns"),
  tile("Instance", number(circuit.shape.instance_columns), "columns"),
  tile("Proof", bytes(circuit.proof_bytes), "each, exactly"));

const gateRows = (ir) => ir.gates.flatMap((gate, index) => gate.constraints.map((constraint, at) => ({
  gate: at === 0 ? gate.name || `gate ${index}` : "", name: constraint.name, ...polynomial(ir, constraint.expression),
})));

const inside = (ir, signal) => {
  const rows = gateRows(ir);
  return [
    h("p", { class: "quiet" }, `${counted(ir.gates.length, "gate")}, ${counted(ir.lookups.length, "lookup")}, ${counted(ir.permutation.length, "column")} with copies, `
      + `${counted(ir.selectors.length, "selector")}; ${number(usableRows(ir))} rows are usable.`),
    table("Gates as formulas; each is zero where its selectors are on", [
      ["Gate", (row) => row.gate, "name"],
      ["Constraint", (row) => row.name, "name"],
      ["Where", (row) => h("code", {}, row.when.join(" "))],
      ["Zero there", (row) => h("code", { class: "formula" }, row.polynomial), "wide"],
    ], rows.slice(0, GATES_MAX), "No gates."),
    rows.length > GATES_MAX && h("p", { class: "quiet" }, `The first ${GATES_MAX} of ${number(rows.length)} constraints.`),
    ir.lookups.length > 0 && table("Lookups", [
      ["Inputs", (row) => h("code", { class: "formula" }, row.inputs.join(", ")), "wide"],
      ["Stand in", (row) => h("code", {}, row.table.join(", "))],
    ], ir.lookups.map((each) => lookup(ir, each))),
    h("h3", {}, "Layout"), layout(ir, signal),
  ];
};

const reading = (circuit, signal) => {
  const place = h("div", {});
  const read = async () => {
    put(place, h("p", { class: "quiet" }, "Reading the circuit …"));
    try {
      put(place, ...inside(decode(await blob(`circuits/${circuit.id}/ir`, signal)), signal));
    } catch (problem) {
      if (!signal.aborted) put(place, problemBox(problem));
    }
  };
  if (circuit.shape.k <= READ_MAX_K) read();
  else put(place, button("Read gates and layout", read));
  return place;
};

const cost = (circuit, tasks) => {
  const done = tasks.filter((task) => task.state === "done" && task.timings_ms);
  const rows = STAGES.map((stage) => {
    const times = done.map((task) => task.timings_ms[stage]).filter((value) => value !== undefined && value !== null);
    return { stage, half: quantile(times, 0.5), most: quantile(times, 0.95) };
  }).filter((row) => row.half !== undefined);
  const estimate = Object.entries(circuit.estimate ?? {}).map(([name, value]) =>
    [words(name), name.includes("bytes") ? bytes(value) : typeof value === "number" ? number(value) : JSON.stringify(value)]);
  return [facts(...estimate), table("What its proofs took lately", [
    ["Stage", (row) => row.stage],
    ["Half under", (row) => span(row.half), "right"],
    ["95% under", (row) => span(row.most), "right"],
  ], rows, "No proof of it yet.")];
};

const publish = (circuit, context, again) => dialog("Publish its key under a name", (close) => {
  const name = h("input", { type: "text", required: true, autocomplete: "off" });
  const told = h("div", {});
  const go = button("Publish", async () => {
    if (await doing(go, told, () => replace(`verifying-keys/${encodeURIComponent(name.value.trim())}`, { circuit: circuit.id }, context.signal))) {
      close();
      again();
    }
  }, "main");
  return [field("Name", name, "The keys before it under this name go on verifying."), told, h("div", { class: "buttons" }, go, button("Leave it", close))];
});

const revoke = (circuit, context, again) => dialog("Revoke its key for good", (close) => {
  const reason = h("input", { type: "text", required: true, maxlength: 512, autocomplete: "off" });
  const told = h("div", {});
  const go = button("Revoke it", async () => {
    if (await doing(go, told, () => post(`circuits/${circuit.id}/revocation`, { reason: reason.value.trim() }, context.signal))) {
      close();
      again();
    }
  }, "danger");
  return [h("p", {}, "No proof under it counts as valid any more, the old ones included. This cannot be taken back."),
    field("Why", reason, "For whoever meets a proof under it."), told, h("div", { class: "buttons" }, go, button("Leave it", close))];
});

const keySection = (circuit, context) => {
  const place = h("div", {});
  const look = async () => {
    try {
      const key = await get(`circuits/${circuit.id}/key`, context.signal);
      put(place,
        key.revoked && h("div", { class: "problem" }, h("p", {}, badge("revoked"), " ", when(key.revoked.at), ": ", key.revoked.reason)),
        facts(["Key", h("code", {}, key.key_digest)], ["Circuit's bytes", h("code", {}, key.circuit_digest)],
          ["Published as", key.names.length > 0 ? key.names.join(", ") : "nothing"]),
        h("div", { class: "buttons" },
          context.may("admin", "author") && button("Publish under a name", () => publish(circuit, context, look)),
          context.may("admin") && !key.revoked && button("Revoke", () => revoke(circuit, context, look), "danger")));
    } catch (problem) {
      if (!context.signal.aborted) put(place, problemBox(problem));
    }
  };
  look();
  return place;
};

const ready = (circuit, plugin, tasks, context) => [
  section("Shape", shapeTiles(circuit), circuit.lints?.length > 0 && lints(circuit.lints),
    table("Public inputs", [
      ["Public input", (each) => h("code", {}, each.name)],
      ["Meaning", (each) => plugin?.public_inputs?.find((named) => named.name === each.name)?.summary ?? "", "wide"],
      ["Column", (each) => `i${each.column}`],
      ["Elements", (each) => number(each.rows), "right"],
    ], circuit.public_inputs ?? [], "No public inputs.")),
  context.may("admin", "author", "submitter") && section("Try it", trial(circuit, plugin, context)),
  section("Gates and layout", reading(circuit, context.signal)),
  section("Cost", cost(circuit, tasks)),
  section("Verifying key", keySection(circuit, context)),
];

export const show = async (context) => {
  const { signal } = context;
  const id = encodeURIComponent(context.parts[0]);
  const circuit = await get(`circuits/${id}`, signal);
  const [plugin, page] = await Promise.all([
    get(`plugins/${circuit.component}`, signal).catch(() => undefined),
    get(withQuery("tasks", { circuit: circuit.id, limit: 50 }), signal),
  ]);
  const place = h("div", {});
  const fill = (shown, tasks) => put(place,
    heading("Circuit", badge(shown.state)),
    facts(["Id", h("code", {}, shown.id)], ["Plugin", link(shown.plugin ?? "its plugin", `plugins/${shown.component}`)],
      ["Parameters", h("code", {}, JSON.stringify(shown.params))], ["Asked for", when(shown.registered_at)]),
    shown.problem && problemBox({ body: shown.problem }),
    shown.state === "preparing" && h("p", {}, "A worker builds it and makes its keys. This page goes on by itself."),
    shown.state === "ready" && ready(shown, plugin, tasks, context),
    section("Newest tasks", newest(tasks.slice(0, 10)), h("p", {}, link("All tasks for it", `tasks?circuit=${shown.id}`))),
    folded("The circuit's document", shown));
  fill(circuit, page.tasks);
  const wait = async () => {
    let found = circuit;
    while (found.state === "preparing" && !signal.aborted) found = await get(`circuits/${id}?wait=30s`, signal);
    if (!signal.aborted) fill(found, page.tasks);
  };
  if (circuit.state === "preparing") wait().catch((problem) => { if (!signal.aborted) put(place, heading("Circuit"), problemBox(problem)); });
  return place;
};
