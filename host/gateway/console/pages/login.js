// Logging in: a key is tried on the node, and kept in this tab if it opens it.

import { forget, get, keep } from "../api.js";
import { h } from "../dom.js";
import { doing, field, heading, problemBox } from "../ui.js";

export const show = (enter, problem) => {
  const key = h("input", { type: "password", id: "key", autocomplete: "off", spellcheck: "false", required: true, placeholder: "aur_…" });
  const told = h("div", {}, problem && problemBox(problem));
  const go = h("button", { type: "submit", class: "main" }, "Log in");
  const form = h("form", { class: "login" },
    heading("Log in"),
    h("p", {}, "With an API key, or a token of your identity provider. It stays in this tab and is forgotten with it."),
    field("Key", key), told, h("div", { class: "buttons" }, go),
    h("p", { class: "quiet" }, "Keys are made by an administrator: ", h("code", {}, "aureole admin key new"),
      ". ", h("code", {}, "aureole dev"), " says at its start where it keeps the first one."));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const me = await doing(go, told, async () => {
      keep(key.value.trim());
      try {
        return await get("me");
      } catch (refusal) {
        forget();
        throw refusal;
      }
    });
    if (me) enter(me);
    else key.select();
  });
  return form;
};
