"use strict";
// Values that are shown and can be read back, legends, tables and bars; data-value holds all digits of a number.

// rows: [key, name, value].
function showValues(host, rows) {
  host.replaceChildren(...rows.map(([key, name, value]) => {
    const shown = element("dd", { "data-key": key, "data-value": String(value) }, readable(value, 9));
    return element("div", {}, element("dt", {}, ...rich(name)), shown);
  }));
}

// entries: [kind, text], or [kind, text, shape] with the shape of a mark, "band" or "rule".
function showLegend(host, entries) {
  host.replaceChildren(...entries.map(([kind, text, shape]) => {
    const svg = svgElement("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" });
    if (shape === "band") svgElement("rect", { class: "band", x: 0, y: 0, width: 26, height: 12 }, svg);
    else if (shape === "rule") svgLine(svg, kind, [0, 6], [26, 6]);
    else if (shape) svgMark(svg, kind, [13, 6], shape);
    else svgElement("path", { class: `line ${kind}`, d: "M0 6H26" }, svg);
    return element("li", {}, svg, ...rich(text));
  }));
}

// A number in a table.
function cell(key, value, digits = 6) {
  return { key, value, text: readable(value, digits) };
}

// heads: [text, class of the column]. Rows hold texts, numbers as `cell` makes them, and elements.
function showTable(table, caption, heads, rows) {
  const head = heads.map(([text, kind]) => element("th", { scope: "col", class: kind }, ...rich(text)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((content, k) => {
    const kind = { class: heads[k][1] };
    if (typeof content === "string") return element("td", kind, ...rich(content));
    if (content instanceof Node) return element("td", kind, content);
    const { key, value, text } = content;
    return element("td", { ...kind, "data-key": key, "data-value": String(value) }, text);
  })));
  const title = caption ? [element("caption", {}, caption)] : [];
  table.replaceChildren(...title, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
}

// A bar from 0 to `part` of the width; with `signed` from the middle, to either side.
function bar(part, signed = false) {
  const frame = { viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" };
  const svg = svgElement("svg", frame);
  svgElement("rect", { class: "track", x: 0, y: 0, width: 100, height: 12, rx: 2 }, svg);
  const width = Math.max(0, Math.min(1, Math.abs(part))) * (signed ? 50 : 100);
  const x = signed ? (part < 0 ? 50 - width : 50) : 0;
  svgElement("rect", { class: part < 0 ? "fill negative" : "fill", x, y: 1, width, height: 10 }, svg);
  if (signed) svgLine(svg, "zero", [50, 0], [50, 12]);
  return svg;
}
