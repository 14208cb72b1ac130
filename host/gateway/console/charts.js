// Drawings of numbers as SVG: no library, colours from the style sheet, each with its figures in words.

import { svg } from "./dom.js";

// Bars side by side, each made of parts from below: `bars` is a list of lists of `[class, value]`.
export const bars = (label, columns, names, height = 96) => {
  const top = Math.max(1, ...columns.map((parts) => parts.reduce((sum, [, value]) => sum + value, 0)));
  const width = 6;
  const drawn = columns.map((parts, index) => {
    let y = height;
    return svg("g", {}, svg("title", {}, names[index]), parts.map(([kind, value]) => {
      const tall = value === 0 ? 0 : Math.max(2, (value / top) * (height - 4));
      y -= tall;
      return svg("rect", { class: kind, x: index * width, y, width: width - 1.5, height: tall });
    }));
  });
  return svg("svg", {
    class: "chart", role: "img", "aria-label": label, preserveAspectRatio: "none",
    viewBox: `0 0 ${columns.length * width} ${height}`,
  }, svg("line", { class: "axis", x1: 0, x2: columns.length * width, y1: height - 0.5, y2: height - 0.5 }), drawn);
};
