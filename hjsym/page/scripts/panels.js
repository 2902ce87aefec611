"use strict";
// What the panels have in common: values that are shown and can be read back, legends, tables, bars.

function byId(id) {
  return document.getElementById(id);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Text with subscripts, as nodes: "f_ε" is f with a small ε.
function rich(text) {
  return subscripts(text).map(([part, low]) => (low ? element("sub", {}, part) : part));
}

// Named values under a picture; data-value holds all digits.
function showValues(host, rows) {
  host.replaceChildren(...rows.map(([key, name, value, text]) => {
    const shown = element("dd", { "data-key": key, "data-value": String(value) }, text ?? readable(value, 9));
    return element("div", {}, element("dt", {}, ...rich(name)), shown);
  }));
}

// Lines of a legend: [kind, text] or [kind, text, shape of a dot].
function showLegend(host, entries) {
  host.replaceChildren(...entries.map(([kind, text, shape]) => {
    const svg = svgElement("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" });
    if (shape === "band") svgElement("rect", { class: `band ${kind}`, x: 0, y: 0, width: 26, height: 12 }, svg);
    else if (["up", "down", "diamond"].includes(shape)) svgElement("polygon", { class: `dot ${kind}`, points: outline(shape, 13, 6) }, svg);
    else if (shape === "circle") svgElement("circle", { class: `dot ${kind}`, cx: 13, cy: 6, r: 4.5 }, svg);
    else if (shape === "rule") svgElement("line", { class: kind, x1: 0, x2: 26, y1: 6, y2: 6 }, svg);
    else svgElement("path", { class: `line ${kind}`, d: "M0 6H26" }, svg);
    return element("li", {}, svg, ...rich(text));
  }));
}

// rows of cells: text, or { value, text, key } for numbers, or { node } for anything else.
function showTable(table, caption, heads, rows) {
  const head = element("tr", {}, ...heads.map(([text, kind]) => element("th", { scope: "col", class: kind }, ...rich(text))));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell, k) => {
    if (cell.node) return element("td", { class: heads[k][1] }, cell.node);
    if (typeof cell === "string") return element("td", { class: heads[k][1] }, ...rich(cell));
    return element("td", { class: heads[k][1], "data-key": cell.key, "data-value": String(cell.value) }, cell.text ?? readable(cell.value));
  })));
  const title = caption ? [element("caption", {}, caption)] : [];
  table.replaceChildren(...title, element("thead", {}, head), element("tbody", {}, ...body));
}

// A bar from 0 to `part` of the width; with `signed` from the middle, to either side.
function bar(part, signed = false) {
  const svg = svgElement("svg", { viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" });
  svgElement("rect", { class: "track", x: 0, y: 0, width: 100, height: 12, rx: 2 }, svg);
  const length = Math.max(0, Math.min(1, Math.abs(part))) * (signed ? 50 : 100);
  const x = signed ? (part < 0 ? 50 - length : 50) : 0;
  svgElement("rect", { class: part < 0 ? "fill negative" : "fill", x, y: 1, width: length, height: 10 }, svg);
  if (signed) svgElement("line", { class: "zero", x1: 50, x2: 50, y1: 0, y2: 12 }, svg);
  return svg;
}

function drawCurves(curves, view, point, { cells, marks }) {
  const { s, soft, hard, reading, bound } = curves;
  const range = rangeOf(soft, hard);
  if (bound > 0) {
    const most = 0.5 * (range.high - range.low); // a band beyond would flatten the curves
    range.low -= Math.min(bound, most);
    range.high += Math.min(bound, most);
  }
  const chart = new Chart(byId("curves"), { low: view.low[0], high: view.high[0], name: view.axes[0] }, { ...range, name: "f" }, 300);
  if (bound > 0) chart.band(s, hard.map((v) => v - bound), hard.map((v) => v + bound), "bound");
  if (cells) chart.strip(cells);
  chart.line(s, hard, "tropical");
  chart.line(s, soft, "network");
  if (reading) chart.line(s, reading, "reading");
  chart.vertical(point[0], "here");
  for (const { at, name } of marks) {
    const x = chart.px(at[0]), side = chart.side(x);
    svgElement("text", { class: "mark-name", x: x + 5 * side, y: MARGIN.top + 10, "text-anchor": side < 0 ? "end" : "start" }, chart.inside, chart.named(name));
    svgElement("line", { class: "grid", x1: x, x2: x, y1: MARGIN.top, y2: chart.bottom }, chart.inside);
  }
  return chart;
}

function drawEntropy(curve, found, view, point, here) {
  const range = { low: 0, high: Math.max(1e-3, largest(curve.entropy)) * 1.12 };
  const chart = new Chart(byId("entropy"), { low: view.low[0], high: view.high[0], name: view.axes[0] }, { ...range, name: "H (nats)" }, 240);
  chart.line(curve.s, curve.entropy, "entropy");
  chart.vertical(point[0], "here");
  for (const { s, kind, entropy } of found) chart.dot(s, entropy, kind, kind === "maximum" ? "up" : "down");
  chart.dot(point[0], here, "event");
  return chart;
}

function drawDiagram(diagram, view, eps, found) {
  const [low, high] = diagram.range;
  const chart = new Chart(byId("diagram"), { low, high, name: "temperature ε", log: true }, { low: view.low[0], high: view.high[0], name: view.axes[0] }, 280);
  for (const { kind, eps: temperatures, x } of diagram.pieces) chart.line(temperatures, x, kind);
  const present = Math.min(Math.max(eps, low), high);
  chart.vertical(present, "now");
  for (const { s, kind } of found) chart.dot(present, s, kind, kind === "maximum" ? "up" : "down");
  for (const event of diagram.events) chart.dot(event.eps, event.x, "event");
  return chart.show();
}

function drawConjugates(soft, hull, slope) {
  const [low, high] = [hull[0][0], hull.at(-1)[0]];
  const hard = hull.map(([, v]) => v);
  const chart = new Chart(byId("conjugate"), { low, high, name: "slope p" }, { ...rangeOf(soft.values, hard), name: "f*" }, 240);
  chart.line(hull.map(([p]) => p), hard, "tropical");
  chart.line(soft.slopes, soft.values, "network");
  chart.vertical(slope, "here");
  return chart.show();
}
