// Shows /openapi.json. All text of the document goes into text nodes: nothing of it is run.
"use strict";

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
};
const byId = (id) => document.getElementById(id);

// A schema in one line; references lead to the list at the end.
const brief = (schema) => {
  if (!schema || Object.keys(schema).length === 0) return "any";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const some = schema.oneOf || schema.anyOf;
  if (some && !schema.type) return some.map(brief).join(" | ");
  const type = [].concat(schema.type || "any").join(" | ");
  if (type.startsWith("array")) return `list of ${brief(schema.items)}`;
  const limits = ["minimum", "maximum", "minItems", "maxItems", "pattern", "format"]
    .filter((limit) => schema[limit] !== undefined)
    .map((limit) => `${limit} ${schema[limit]}`);
  return limits.length ? `${type} (${limits.join(", ")})` : type;
};

const fields = (schema) => {
  const rows = Object.entries(schema.properties || {}).map(([name, field]) => {
    const needed = (schema.required || []).includes(name) ? " *" : "";
    return element("tr", {},
      element("td", {}, element("code", {}, name), needed),
      element("td", {}, element("code", {}, brief(field))),
      element("td", {}, field.description || ""));
  });
  return rows.length ? element("table", {}, ...rows) : element("pre", {}, JSON.stringify(schema, null, 2));
};

const parameters = (operation) => {
  const rows = (operation.parameters || []).map((parameter) =>
    element("tr", {},
      element("td", {}, element("code", {}, parameter.name), parameter.required ? " *" : ""),
      element("td", {}, parameter.in),
      element("td", {}, element("code", {}, brief(parameter.schema))),
      element("td", {}, parameter.description || "")));
  return rows.length ? element("table", {}, ...rows) : undefined;
};

const responses = (operation) =>
  element("table", {}, ...Object.entries(operation.responses).map(([status, response]) => {
    const lines = response.description.split("\n");
    const text = lines[0].startsWith("- ")
      ? element("details", {}, element("summary", {}, `${lines.length} codes`),
          element("ul", {}, ...lines.map((line) => element("li", {}, line.slice(2)))))
      : response.description;
    const kinds = Object.entries(response.content || {})
      .filter(([kind]) => kind !== "application/problem+json")
      .map(([kind, media]) => `${kind}: ${brief(media.schema)}`);
    return element("tr", {},
      element("td", {}, element("code", {}, status)),
      element("td", {}, element("code", {}, kinds.join(", "))),
      element("td", {}, text));
  }));

// A form that sends the request with what was filled in.
const trial = (method, path, operation) => {
  const inputs = (operation.parameters || []).map((parameter) => {
    const input = element("input", { placeholder: String(parameter.example ?? "") });
    return { parameter, input };
  });
  const content = operation.requestBody && Object.entries(operation.requestBody.content)[0];
  const example = content && Object.values(content[1].examples || {})[0];
  const isText = content && content[0] === "application/json";
  const body = content && (isText ? element("textarea") : element("input", { type: "file" }));
  if (isText && example) body.value = JSON.stringify(example.value, null, 2);
  const shown = element("pre", { class: "hidden" });
  const send = element("button", { type: "button" }, `Send ${method}`);
  send.addEventListener("click", async () => {
    const query = new URLSearchParams();
    const headers = {};
    let url = path;
    for (const { parameter, input } of inputs) {
      const value = input.value || (parameter.in === "path" ? input.placeholder : "");
      if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(value));
      else if (value && parameter.in === "query") query.set(parameter.name, value);
      else if (value) headers[parameter.name] = value;
    }
    if (String(query)) url += `?${query}`;
    if (byId("key").value) headers.authorization = `Bearer ${byId("key").value}`;
    if (content) headers["content-type"] = content[0];
    shown.classList.remove("hidden");
    shown.textContent = `${method} ${url} …`;
    try {
      const sent = content ? (isText ? body.value : body.files[0]) : undefined;
      const answer = await fetch(url, { method, headers, body: sent, credentials: "omit" });
      const text = await answer.text();
      let pretty = text;
      try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON */ }
      shown.textContent = `${method} ${url}\n${answer.status}\n\n${pretty.slice(0, 100000)}`;
    } catch (error) {
      shown.textContent = `${method} ${url}\n${error}`;
    }
  });
  const fields = inputs.map(({ parameter, input }) => element("label", {}, `${parameter.name} `, input));
  return element("details", {}, element("summary", {}, "Try it"), ...fields, body, element("div", {}, send), shown);
};

const show = (path, method, operation) => {
  const body = operation.requestBody && Object.entries(operation.requestBody.content)
    .map(([kind, media]) => `${kind}: ${brief(media.schema)}`).join(", ");
  const role = operation["x-roles"] ? element("p", {}, "For: ", element("code", {}, operation["x-roles"].join(", "))) : undefined;
  const made = element("details", { id: operation.operationId },
    element("summary", {},
      element("span", { class: "method" }, method.toUpperCase()),
      element("span", { class: "path" }, path), ` ${operation.summary}`),
    operation.description ? element("p", {}, operation.description) : undefined,
    role,
    parameters(operation),
    body ? element("p", {}, "Body: ", element("code", {}, body)) : undefined,
    responses(operation),
    trial(method.toUpperCase(), path, operation));
  made.dataset.text = JSON.stringify([path, operation]).toLowerCase();
  return made;
};

const start = async () => {
  const api = await (await fetch("/openapi.json")).json();
  byId("about").textContent = `${api.info.summary} Version ${api.info.version}. ${api.info.description}`;
  const groups = new Map(api.tags.map((tag) => [tag.name, []]));
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, operation] of Object.entries(methods))
      groups.get(operation.tags[0]).push(show(path, method, operation));
  const shown = [...groups].map(([name, made]) => element("section", {}, element("h2", {}, name), ...made));
  byId("operations").replaceChildren(...shown);
  byId("schemas").replaceChildren(element("h2", {}, "schemas"),
    ...Object.entries(api.components.schemas).map(([name, schema]) =>
      element("details", { id: `schema-${name}` }, element("summary", {}, element("code", {}, name)),
        schema.description ? element("p", {}, schema.description) : undefined, fields(schema))));
  byId("find").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const made of document.querySelectorAll("#operations details[id]"))
      made.classList.toggle("hidden", !made.dataset.text.includes(wanted));
  });
};

start().catch((error) => { byId("operations").textContent = String(error); });
