// A form from a JSON Schema, and the JSON text that its fields say.
//
// The schema is a plugin's, so it is not trusted: it decides which fields there are, in bounded number
// and depth, and nothing else. Patterns are shown and not run, because an expression that never ends
// would hold up the page; the node checks inputs and says at which place one is no good. Numbers stay the
// digits that were typed, so none loses precision on the way.

import { fresh, h, put } from "./dom.js";
import { button, choice, field } from "./ui.js";

const DEPTH_MAX = 8;
const PROPERTIES_MAX = 64;
const ITEMS_MAX = 256;

// Follows references within the schema and takes the one real choice out of `anyOf [T, null]`.
const resolve = (schema, root, left = 16) => {
  if (schema === true || schema === undefined || typeof schema !== "object" || left === 0) return {};
  if (typeof schema.$ref === "string" && schema.$ref.startsWith("#")) {
    const parts = schema.$ref.slice(1).split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    const found = parts.reduce((at, part) => (at && Object.hasOwn(at, part) ? at[part] : undefined), root);
    const { $ref, ...beside } = schema;
    return { ...resolve(found, root, left - 1), ...beside };
  }
  const options = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(options)) {
    const real = options.filter((option) => option?.type !== "null");
    if (real.length === 1) {
      const { anyOf, oneOf, ...beside } = schema;
      return { ...resolve(real[0], root, left - 1), ...beside, nullable: true };
    }
  }
  if (Array.isArray(schema.type)) {
    const real = schema.type.filter((type) => type !== "null");
    if (real.length === 1) return { ...schema, type: real[0], nullable: true };
  }
  return schema;
};

// The values of an enumeration, whichever way it is written.
const values = (schema) => {
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => ({ value }));
  const options = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(options) && options.every((option) => option && ("const" in option || Array.isArray(option.enum))))
    return options.flatMap((option) => (option.enum ?? [option.const]).map((value) => ({ value, says: option.description })));
  return undefined;
};

const hints = (schema) => [
  schema.description,
  schema.minimum !== undefined && schema.maximum !== undefined && `${schema.minimum} to ${schema.maximum}.`,
  schema.minimum !== undefined && schema.maximum === undefined && `At least ${schema.minimum}.`,
  schema.pattern && `Form: ${schema.pattern.slice(0, 120)}`,
].filter(Boolean).join(" ");

// An example of a text by what its pattern looks like; hexadecimal strings are what circuits take.
const sample = (schema) => {
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  const digits = /^\^?0x\[[0-9a-fA-F-]+\]\{(\d+)(?:,\d+)?\}\$?$/.exec(schema.pattern ?? "");
  if (!digits) return "";
  const count = Math.min(Number(digits[1]), 512);
  const random = crypto.getRandomValues(new Uint8Array(Math.ceil(count / 2)));
  random[0] &= 0x0f;
  return `0x${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, count)}`;
};

const raw = (name, schema, given) => {
  const area = h("textarea", { rows: 4, spellcheck: "false" }, given === undefined ? "" : JSON.stringify(given, null, 2));
  const text = () => {
    if (area.value.trim() === "") return undefined;
    JSON.parse(area.value);
    return area.value.trim();
  };
  return { element: field(name, area, [hints(schema), "JSON."].filter(Boolean).join(" ")), text };
};

const chosen = (name, schema, options, given, required) => {
  const list = options.map(({ value }, index) => [String(index), String(value)]);
  const at = options.findIndex(({ value }) => JSON.stringify(value) === JSON.stringify(given ?? schema.default));
  const control = choice(required ? list : [["", "(not given)"], ...list], at < 0 ? undefined : String(at));
  const says = options.filter((option) => option.says).map(({ value, says }) => `${value}: ${says}`).join(" ");
  const text = () => (control.value === "" ? undefined : JSON.stringify(options[Number(control.value)].value));
  return { element: field(name, control, [hints(schema), says].filter(Boolean).join(" ")), text, controls: [control] };
};

const flag = (name, schema, given) => {
  const control = h("input", { type: "checkbox", id: fresh("field"), checked: (given ?? schema.default) === true });
  const element = h("div", { class: "field" }, h("label", { class: "flag", for: control.id }, control, ` ${name}`),
    schema.description && h("p", { class: "hint" }, schema.description));
  return { element, text: () => String(control.checked), controls: [control] };
};

const typed = (name, schema, given, required, isNumber) => {
  const start = given ?? schema.default ?? (isNumber ? "" : undefined);
  const control = h("input", {
    type: "text", spellcheck: "false", autocomplete: "off", required: required && isNumber,
    inputmode: isNumber ? "decimal" : undefined, value: start === null || start === undefined ? "" : String(start),
  });
  const text = () => {
    const value = isNumber ? control.value.trim() : control.value;
    if (value === "" && (!required || isNumber)) return undefined;
    // What is no number goes as a text: the node says what is wrong with it, and where.
    return isNumber && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? value : JSON.stringify(value);
  };
  const example = () => {
    if (control.value !== "") return;
    control.value = isNumber ? String(schema.minimum ?? 0) : sample(schema);
  };
  return { element: field(name, control, hints(schema)), text, example, controls: [control] };
};

const listed = (name, schema, given, context) => {
  const items = [];
  const place = h("div", { class: "items" });
  const least = Math.min(schema.minItems ?? 0, ITEMS_MAX);
  const most = Math.min(schema.maxItems ?? ITEMS_MAX, ITEMS_MAX);
  const show = () => put(place, items.map((item, index) => h("div", { class: "item" }, item.element,
    button("Remove", () => { items.splice(index, 1); show(); place.querySelector("input, button")?.focus(); }, "small", { "aria-label": `Remove ${name} ${index}` }))));
  const add = (value) => {
    if (items.length >= most) return;
    const inner = schema.prefixItems?.[items.length] ?? schema.items ?? {};
    items.push(node(`${name} ${items.length}`, inner, value, true, context));
    show();
  };
  const start = Array.isArray(given) ? given.slice(0, most) : [];
  for (let index = 0; index < Math.max(least, start.length); index += 1) add(start[index]);
  const more = button("Add one", () => { add(); items.at(-1)?.element.querySelector("input, select, textarea")?.focus(); }, "small");
  const element = h("fieldset", {}, h("legend", {}, name), schema.description && h("p", { class: "hint" }, schema.description), place, more);
  const text = () => `[${items.map((item) => item.text() ?? "null").join(",")}]`;
  const example = () => {
    if (items.length === 0) add();
    items.forEach((item) => item.example?.());
  };
  const at = (rest) => items[Number(rest[0])]?.at?.(rest.slice(1)) ?? element;
  return { element, text, example, at };
};

const grouped = (name, schema, given, context) => {
  const required = new Set(schema.required ?? []);
  const parts = Object.entries(schema.properties ?? {}).slice(0, PROPERTIES_MAX).map(([key, inner]) => [
    key, node(key, inner, given?.[key], required.has(key), context),
  ]);
  const text = () => {
    const said = parts.map(([key, part]) => [key, part.text()]).filter(([, value]) => value !== undefined);
    return `{${said.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`;
  };
  const inside = parts.map(([, part]) => part.element);
  const element = context.depth === 0 ? h("div", {}, inside)
    : h("fieldset", {}, h("legend", {}, name), schema.description && h("p", { class: "hint" }, schema.description), inside);
  const at = (rest) => {
    const part = parts.find(([key]) => key === rest[0])?.[1];
    return part?.at?.(rest.slice(1)) ?? part?.element ?? element;
  };
  return { element, text, at, example: () => parts.forEach(([, part]) => part.example?.()) };
};

// One of several forms: the reader chooses which.
const varied = (name, schema, given, required, context) => {
  const options = schema.oneOf ?? schema.anyOf;
  const place = h("div", {});
  let current;
  const names = options.map((option, index) => [String(index), resolve(option, context.root).title ?? option?.description ?? `form ${index + 1}`]);
  const control = choice(names, "0", () => show());
  const show = () => {
    current = node(name, options[Number(control.value)], undefined, required, { ...context, depth: context.depth + 1 });
    put(place, current.element);
  };
  show();
  return { element: h("fieldset", {}, h("legend", {}, name), field("Which", control), place), text: () => current.text(), example: () => current.example?.() };
};

const node = (name, written, given, required, context) => {
  const schema = resolve(written, context.root);
  const needed = required && !schema.nullable;
  const label = needed ? name : `${name} (optional)`;
  if (context.depth > DEPTH_MAX) return raw(label, schema, given);
  const options = values(schema);
  const deeper = { ...context, depth: context.depth + 1 };
  if ("const" in schema) return { element: h("p", { class: "hint" }, `${name} is ${JSON.stringify(schema.const)}`), text: () => JSON.stringify(schema.const) };
  if (options) return chosen(label, schema, options, given, needed && schema.default === undefined);
  if (schema.type === "boolean") return flag(name, schema, given);
  if (schema.type === "integer" || schema.type === "number") return typed(label, schema, given, needed, true);
  if (schema.type === "string") return typed(label, schema, given, needed, false);
  if (schema.type === "array") return listed(name, schema, given, deeper);
  if (schema.type === "object" && schema.properties) return grouped(name, schema, given, context.depth === 0 && context.top ? { ...context, top: false } : deeper);
  if (Array.isArray(schema.oneOf ?? schema.anyOf)) return varied(name, schema, given, needed, context);
  return raw(label, schema, given);
};

// The form of a schema: its element, the JSON text that it says, an example where it is empty, and where
// a JSON pointer of a refusal leads.
export const schemaForm = (schema, given) => {
  const made = node("input", schema ?? {}, given, true, { root: schema ?? {}, depth: 0, top: true });
  const mark = (pointer) => {
    const parts = (pointer ?? "").split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    const found = made.at?.(parts);
    found?.classList.add("wrong");
    found?.querySelector("input, select, textarea")?.focus();
  };
  const clear = () => made.element.querySelectorAll(".wrong").forEach((each) => each.classList.remove("wrong"));
  return { element: made.element, text: () => made.text() ?? "null", example: () => made.example?.(), mark, clear };
};
