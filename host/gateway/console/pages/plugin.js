// A plugin: what it says of itself, its other versions, its circuits, who may use it.

import { call, get, remove, replace, withQuery } from "../api.js";
import { h, put } from "../dom.js";
import { bytes, short, when } from "../format.js";
import { schemaForm } from "../schema-form.js";
import { ask, badge, button, choice, dialog, doing, facts, field, folded, heading, link, lints, problemBox, section, table, unseen } from "../ui.js";
import { pluginName } from "./plugins.js";

// How many of its newest tasks are looked at for circuits.
const TASKS = 200;

const circuitsOf = async (plugin, signal) => {
  const page = await get(withQuery("tasks", { plugin: plugin.digest, limit: TASKS }), signal);
  const found = new Map();
  if (plugin.default_circuit) found.set(plugin.default_circuit, { id: plugin.default_circuit, proofs: 0 });
  for (const task of page.tasks.filter((each) => each.circuit)) {
    const known = found.get(task.circuit) ?? { id: task.circuit, proofs: 0 };
    known.proofs += 1;
    known.last ??= task.submitted_at;
    found.set(task.circuit, known);
  }
  return [...found.values()];
};

const circuitList = (plugin, circuits) => table("Circuits of this plugin", [
  ["Circuit", (circuit) => link(h("code", {}, circuit.id), `circuits/${circuit.id}`)],
  [unseen("Which"), (circuit) => (circuit.id === plugin.default_circuit ? "default parameters" : "")],
  ["Tasks for it lately", (circuit) => circuit.proofs, "right"],
  ["Newest task", (circuit) => (circuit.last ? when(circuit.last) : "–")],
], circuits, "None that a recent task was for.");

const register = (plugin, context) => {
  const form = schemaForm(plugin.params_schema ?? {}, plugin.default_params);
  const told = h("div", {});
  const go = h("button", { type: "submit", class: "main" }, "Make this circuit");
  const whole = h("form", {}, form.element, told, h("div", { class: "buttons" }, go));
  whole.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.clear();
    const circuit = await doing(go, told, async () => {
      try {
        // As text, so that no number in it loses digits.
        const text = `{"plugin":${JSON.stringify(plugin.digest)},"params":${form.text()}}`;
        return await call("POST", "circuits?wait=0s", { text, signal: context.signal });
      } catch (problem) {
        form.mark(problem.body?.path);
        throw problem;
      }
    });
    if (circuit) context.go(`circuits/${circuit.id}`);
  });
  return whole;
};

const share = (plugin, context, again) => dialog("Who may use it", (close) => {
  const kind = choice([["private", "only its tenant"], ["shared", "tenants by name"], ["public", "everybody"]], plugin.sharing?.visibility);
  const names = h("input", { type: "text", value: plugin.sharing?.with?.join(" ") ?? "", autocomplete: "off" });
  const told = h("div", {});
  const go = button("Save", async () => {
    const visibility = kind.value;
    const sharing = visibility === "shared" ? { visibility, with: names.value.split(/[\s,]+/).filter(Boolean) } : { visibility };
    if (await doing(go, told, () => replace(`plugins/${plugin.digest}/visibility`, sharing, context.signal))) {
      close();
      again();
    }
  }, "main");
  return [field("For", kind), field("Tenants", names, "With “tenants by name”: their names, with spaces between."), told,
    h("div", { class: "buttons" }, go, button("Leave it", close))];
});

const acts = (plugin, context, again) => {
  if (!context.may("admin", "author") || !plugin.sharing) return undefined;
  return h("div", { class: "buttons" },
    plugin.state !== "retired" && button("Who may use it", () => share(plugin, context, again)),
    plugin.state === "ready" && button("Retire", () => ask("Retire this version?",
      `${pluginName(plugin)} takes no new circuits and tasks then. What it has proved stays.`, "Retire it",
      async () => { await remove(`plugins/${plugin.digest}`, context.signal); again(); }), "danger"));
};

export const show = async (context) => {
  const { signal } = context;
  const plugin = await get(`plugins/${encodeURIComponent(context.parts[0])}`, signal);
  const [all, circuits] = await Promise.all([get("plugins", signal), circuitsOf(plugin, signal)]);
  context.title(pluginName(plugin));
  const others = all.plugins.filter((each) => each.name && each.name === plugin.name && each.digest !== plugin.digest);
  const place = h("div", {});
  const again = async () => {
    try {
      put(place, ...page(await get(`plugins/${plugin.digest}`, signal)));
    } catch (problem) {
      put(place, problemBox(problem));
    }
  };
  const page = (shown) => [
    heading(pluginName(shown), badge(shown.state)),
    h("p", {}, shown.summary ?? ""),
    shown.problem && problemBox({ body: shown.problem }),
    facts(["Digest", h("code", {}, shown.digest)], ["Size", bytes(shown.bytes)], ["Proof system", shown.backend], ["Field", shown.field],
      ["Uploaded", when(shown.registered_at)], ["Signed by", shown.signer && short(shown.signer, 24)],
      ["For", shown.sharing ? [shown.sharing.visibility, shown.sharing.with && `: ${shown.sharing.with.join(", ")}`] : "shared with you by another tenant"]),
    acts(shown, context, again),
    shown.lints?.length > 0 && section("What looks odd", lints(shown.lints)),
    section("Circuits", circuitList(shown, circuits)),
    shown.state === "ready" && context.may("admin", "author", "submitter") && section("Make another circuit", register(shown, context)),
    section("Other versions", table("The other versions", [
      ["Version", (each) => link(each.version, `plugins/${each.digest}`)],
      ["State", (each) => badge(each.state)],
      ["Uploaded", (each) => when(each.registered_at)],
    ], others, "This is the only one.")),
    section("In its own words",
      table("Public inputs", [["Public input", (each) => h("code", {}, each.name)], ["Meaning", (each) => each.summary, "wide"]], shown.public_inputs ?? [], "No public inputs."),
      shown.input_schema && folded("Schema of the input", shown.input_schema),
      shown.params_schema && folded("Schema of the parameters", shown.params_schema)),
  ];
  put(place, ...page(plugin));
  return place;
};
