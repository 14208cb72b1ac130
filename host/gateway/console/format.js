// Numbers, times and names in the form that people read. No locale of the reader's is guessed:
// times are shown in the browser's zone, and in full in the tooltip.

import { h } from "./dom.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export const bytes = (count) => {
  if (count === undefined || count === null) return "–";
  let value = Number(count);
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
};

export const number = (count) =>
  count === undefined || count === null ? "–" : Number(count).toLocaleString("en");

// `1 gate`, `2 gates`.
export const counted = (count, one) => `${number(count)} ${one}${Number(count) === 1 ? "" : "s"}`;

// A span of milliseconds.
export const span = (millis) => {
  if (millis === undefined || millis === null || Number.isNaN(millis)) return "–";
  if (millis < 1) return `${millis.toFixed(2)} ms`;
  if (millis < 100) return `${millis.toFixed(1)} ms`;
  if (millis < 1000) return `${Math.round(millis)} ms`;
  if (millis < 60_000) return `${(millis / 1000).toFixed(millis < 10_000 ? 2 : 1)} s`;
  if (millis < 3_600_000) return `${Math.floor(millis / 60_000)} min ${Math.round((millis % 60_000) / 1000)} s`;
  if (millis < 86_400_000) return `${Math.floor(millis / 3_600_000)} h ${Math.round((millis % 3_600_000) / 60_000)} min`;
  return `${Math.round(millis / 86_400_000)} d`;
};

const ago = (instant, now) => {
  const millis = now - instant;
  if (Math.abs(millis) < 2_000) return "now";
  const text = Math.abs(millis) < 60_000 ? `${Math.round(Math.abs(millis) / 1000)} s` : span(Math.abs(millis));
  return millis > 0 ? `${text} ago` : `in ${text}`;
};

// An instant of the API: how long ago, with the whole of it as a tooltip.
export const when = (text) => {
  if (!text) return "–";
  const instant = new Date(text);
  if (Number.isNaN(instant.valueOf())) return text;
  return h("time", { datetime: text, title: instant.toLocaleString("sv") }, ago(instant, Date.now()));
};

// A digest or id that is too long for a table, whole in the tooltip.
export const short = (text, head = 12) => {
  if (!text) return "–";
  const shown = text.length > head + 6 ? `${text.slice(0, head)}…` : text;
  return h("code", { title: text }, shown);
};

// The middle of some numbers, or another part of them.
export const quantile = (values, part) => {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
};

// `queued` as `Queued`, `back_off` as `Back off`.
export const words = (name) => {
  const text = String(name).replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
