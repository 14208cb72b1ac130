// Trying a circuit: a form made from the schema of its input, or the JSON itself; checked or proved.

import { call } from "../api.js";
import { fresh, h, put } from "../dom.js";
import { schemaForm } from "../schema-form.js";
import { button, choice, doing, field, problemBox } from "../ui.js";
import { failures } from "./failures.js";

const PRIORITIES = ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0"];

// What a check came to.
const report = (found) => found.satisfied
  ? h("p", { class: "verdict good", role: "status" }, "The input satisfies the circuit: a proof can be made.")
  : [h("p", { class: "verdict bad", role: "status" }, "The input does not satisfy the circuit."),
    found.code && h("p", {}, h("code", {}, found.code)), failures(found.failures ?? []),
    found.more > 0 && h("p", { class: "quiet" }, `And ${found.more} more.`)];

export const trial = (circuit, plugin, context) => {
  const schema = plugin?.input_schema;
  const form = schemaForm(schema ?? {});
  const area = h("textarea", { rows: 10, spellcheck: "false", id: fresh("json"), "aria-label": "Input as JSON" });
  const asForm = h("div", {}, form.element);
  const asText = h("div", { hidden: true }, area);
  const [told, answer] = [h("div", {}), h("div", {})];
  let isText = !schema;
  const toggle = button("Write JSON", () => turn(!isText), "small");
  const turn = (text) => {
    if (text && !isText) area.value = pretty(form.text());
    isText = text;
    asForm.hidden = isText;
    asText.hidden = !isText;
    toggle.textContent = isText ? "Use the form" : "Write JSON";
  };
  const example = button("Fill with an example", () => { turn(false); form.example(); }, "small");
  const reveal = h("input", { type: "checkbox", id: fresh("reveal") });
  const priority = choice(PRIORITIES.map((value) => [value, value === "5" ? "5, ordinary" : value]), "5");
  const input = () => {
    const text = isText ? area.value : form.text();
    JSON.parse(text);
    return text;
  };
  // The input goes as the text that it is, so that no number in it loses digits.
  const ask = async (control, path, more) => doing(control, told, async () => {
    form.clear();
    put(answer);
    try {
      const fields = Object.entries(more).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
      return await call("POST", path, { text: `{${[...fields, `"input":${input()}`].join(",")}}`, signal: context.signal });
    } catch (problem) {
      const { task, path: place } = problem.body ?? {};
      // It has failed already: its page says why. With a place it is the form that says it.
      if (task && !place) return { id: task };
      if (!isText) form.mark(place);
      throw problem;
    }
  });
  const check = button("Check", async () => {
    const found = await ask(check, `circuits/${circuit.id}/check`, { reveal: reveal.checked });
    if (found) put(answer, report(found));
  });
  const prove = h("button", { type: "submit", class: "main" }, "Prove");
  const whole = h("form", { class: "trial", "aria-label": "Try the circuit" },
    h("div", { class: "buttons" }, schema && toggle, schema && example), asForm, asText,
    field("Priority", priority), h("div", { class: "field" }, h("label", { class: "flag", for: reveal.id }, reveal, " Show what cells hold when a check fails")),
    told, h("div", { class: "buttons" }, prove, check), answer);
  whole.addEventListener("submit", async (event) => {
    event.preventDefault();
    const task = await ask(prove, "tasks", { circuit: circuit.id, priority: Number(priority.value) });
    if (task) context.go(`tasks/${task.id}`);
  });
  if (isText) turn(true);
  if (plugin && plugin.state !== "ready")
    return problemBox({ body: { title: `its plugin is ${plugin.state}`, code: "", detail: "It takes no new tasks." } });
  return whole;
};

// The text with line breaks, unless a number in it would change on the way.
const pretty = (text) => (/\d{16}/.test(text) ? text : JSON.stringify(JSON.parse(text), null, 2));
