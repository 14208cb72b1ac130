// Elements from plain calls. Text only ever becomes text nodes: nothing here parses HTML, so what a
// plugin or a tenant wrote can be shown and never run.

const SVG = "http://www.w3.org/2000/svg";

// What the style sheet reads as `var(--...)`: the policy allows no style in attributes.
const DRAWN = ["share", "from", "hue"];

// Sets attributes; `on...` takes a function, `true` an empty attribute; absent values are left out.
const set = (made, attributes) => {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (DRAWN.includes(name)) made.style.setProperty(`--${name}`, value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  return made;
};

const fill = (made, children) => {
  for (const child of children.flat(3)) {
    if (child === undefined || child === null || child === false) continue;
    made.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return made;
};

// An element with attributes and children, which are nodes, texts, or lists of them.
export const h = (name, attributes, ...children) =>
  fill(set(document.createElement(name), attributes), children);

// The same for the elements of a drawing.
export const svg = (name, attributes, ...children) =>
  fill(set(document.createElementNS(SVG, name), attributes), children);

// What makes a control the same one in a part that was drawn anew.
const trait = (element) => [element.localName, element.id, element.getAttribute("href"), element.getAttribute("aria-label"), element.matches("a, button") && element.textContent].join("\n");

// Replaces what an element holds. Where that is the same drawn anew, the reader stays where they were: at
// the control that had the focus, and as far to the side as a table was scrolled.
export const put = (parent, ...children) => {
  const active = document.activeElement;
  const focused = active !== parent && parent.contains(active) ? trait(active) : undefined;
  const scrolled = [...parent.querySelectorAll(".scroll")].filter((each) => each.scrollLeft > 0).map((each) => [each.getAttribute("aria-label"), each.scrollLeft]);
  const made = document.createDocumentFragment();
  fill(made, children);
  parent.replaceChildren(made);
  if (focused !== undefined)
    [...parent.querySelectorAll(active.localName)].find((each) => trait(each) === focused)?.focus({ preventScroll: true });
  for (const [label, left] of scrolled) {
    const again = [...parent.querySelectorAll(".scroll")].find((each) => each.getAttribute("aria-label") === label);
    if (again) again.scrollLeft = left;
  }
  return parent;
};

// A number for ids that labels point to.
let last = 0;
export const fresh = (prefix) => `${prefix}-${(last += 1)}`;
