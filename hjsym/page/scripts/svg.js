"use strict";
// Elements of SVG and HTML, with subscripts in texts: "f_ε" is f with a small ε.

const SVG = "http://www.w3.org/2000/svg";

function byId(id) {
  return document.getElementById(id);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function svgElement(name, attributes, parent = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (parent) parent.append(made);
  return made;
}

// Parts of a text: [text, whether it is a subscript].
function subscripts(text) {
  const parts = text.split(/_([A-Za-zε]+)/).map((part, k) => [part, k % 2 === 1]);
  return parts.filter(([part]) => part);
}

// A text as nodes of HTML.
function rich(text) {
  return subscripts(text).map(([part, low]) => (low ? element("sub", {}, part) : part));
}

function setText(id, text) {
  byId(id).replaceChildren(...rich(text));
}

// A text in a picture; anchor is "start", "middle" or "end".
function svgText(parent, kind, [x, y], text, anchor = "middle") {
  const made = svgElement("text", { class: kind, x, y, "text-anchor": anchor }, parent);
  let lowered = false;
  for (const [part, low] of subscripts(text)) {
    const shift = low ? "0.25em" : lowered ? "-0.19em" : "0";
    const size = low ? { "font-size": "76%" } : {};
    svgElement("tspan", { dy: shift, ...size }, made).append(part);
    lowered = low;
  }
  return made;
}

function svgLine(parent, kind, [x1, y1], [x2, y2]) {
  return svgElement("line", { class: kind, x1, y1, x2, y2 }, parent);
}

function svgPolygon(parent, kind, corners) {
  const points = corners.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return svgElement("polygon", { class: kind, points }, parent);
}

// A mark around a place: a triangle that points up or down, a diamond, or a circle.
function svgMark(parent, kind, [x, y], shape) {
  if (shape === "circle") return svgElement("circle", { class: `dot ${kind}`, cx: x, cy: y, r: 4.5 }, parent);
  const tip = shape === "up" ? -1 : 1;
  const triangle = [[x, y + tip * 6], [x - 5.5, y - tip * 4], [x + 5.5, y - tip * 4]];
  const diamond = [[x, y - 6], [x + 6, y], [x, y + 6], [x - 6, y]];
  return svgPolygon(parent, `dot ${kind}`, shape === "diamond" ? diamond : triangle);
}
