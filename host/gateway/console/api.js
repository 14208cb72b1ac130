// The REST API and nothing else: one function for JSON, one for bytes, one for uploads, one for
// server-sent events. The key is in this module's memory and in the tab's sessionStorage; it goes into
// the Authorization header and nowhere else, never into a URL.

const STORED = "aureole.key";
const BASE = "/api/v1";

let key = sessionStorage.getItem(STORED) ?? "";
let refused = () => {};
let codes;

// What the node said no with: its problem document, or the same fields for what never reached it.
export class Problem extends Error {
  constructor(body) {
    super(body.detail ?? body.title ?? "the request was refused");
    this.body = body;
    this.code = body.code ?? "console.network";
    this.status = body.status ?? 0;
  }
}

export const hasKey = () => key !== "";

export const keep = (text) => {
  key = text;
  sessionStorage.setItem(STORED, text);
};

export const forget = () => {
  key = "";
  sessionStorage.clear();
};

// Who is told that the key opens nothing any more.
export const onRefused = (told) => { refused = told; };

const unreachable = (error) => new Problem({
  code: "console.network",
  title: "the node did not answer",
  status: 0,
  detail: String(error?.message ?? error),
});

const headers = (more) => (key ? { authorization: `Bearer ${key}`, ...more } : { ...more });

const problemOf = (status, text) => {
  try {
    const body = JSON.parse(text);
    if (body && typeof body.code === "string") return new Problem(body);
  } catch { /* no problem document: said below */ }
  return new Problem({ code: "console.answer", title: "an answer that is none of the API's", status, detail: text.slice(0, 200) });
};

// One request; refusals are thrown as problems.
const send = async (method, path, { body, type, signal, accept } = {}) => {
  let answer;
  try {
    answer = await fetch(path.startsWith("/") ? path : `${BASE}/${path}`, {
      method,
      headers: headers({ ...(type && { "content-type": type }), ...(accept && { accept }) }),
      body,
      signal,
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreachable(error);
  }
  if (answer.ok) return answer;
  const problem = problemOf(answer.status, await answer.text());
  if (problem.status === 401 && key) refused(problem);
  throw problem;
};

// A JSON document; `text` is a body that is JSON already.
export const call = async (method, path, { text, signal } = {}) => {
  const type = text === undefined ? undefined : "application/json";
  const answer = await send(method, path, { body: text, type, signal });
  return answer.status === 204 ? undefined : answer.json();
};

export const get = (path, signal) => call("GET", path, { signal });
export const post = (path, body, signal) => call("POST", path, { text: JSON.stringify(body), signal });
export const replace = (path, body, signal) => call("PUT", path, { text: JSON.stringify(body), signal });
export const remove = (path, signal) => call("DELETE", path, { signal });

// A document that answers 503 and is one all the same.
export const health = async (signal) => {
  const answer = await fetch("/health/ready", { signal, cache: "no-store", credentials: "omit" });
  return answer.json();
};

export const text = async (path, signal) => (await send("GET", path, { signal })).text();

export const blob = async (path, signal) =>
  new Uint8Array(await (await send("GET", path, { signal })).arrayBuffer());

// A path with a query of what is set.
export const withQuery = (path, query) => {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set)}`;
};

// Sends a component and tells how much of it has left; fetch cannot tell that.
export const upload = (file, told) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open("POST", `${BASE}/plugins?wait=0s`);
  request.setRequestHeader("authorization", `Bearer ${key}`);
  request.setRequestHeader("content-type", "application/wasm");
  request.upload.addEventListener("progress", (event) => told(event.loaded, event.total));
  request.addEventListener("error", () => reject(unreachable("the upload broke off")));
  request.addEventListener("load", () => {
    if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText));
    else reject(problemOf(request.status, request.responseText));
  });
  request.send(file);
});

// The events of one block of a stream's text.
const eventOf = (block) => {
  const event = { name: "message", data: "" };
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event.name = line.slice(6).trim();
    else if (line.startsWith("data:")) event.data += line.slice(5).trim();
  }
  return event;
};

// Reads server-sent events until the stream ends; EventSource could not send the key.
export const events = async (path, told, signal) => {
  const answer = await send("GET", path, { signal, accept: "text/event-stream" });
  if (answer.status === 204) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const event of blocks.map(eventOf)) if (event.data) told(event.name, JSON.parse(event.data));
  }
};

// What a code means and what to do about it, from the node's own table.
export const explained = async (code) => {
  codes ??= get("errors").then((table) => new Map(table.errors.map((each) => [each.code, each])));
  try {
    return (await codes).get(code);
  } catch {
    codes = undefined;
    return undefined;
  }
};
