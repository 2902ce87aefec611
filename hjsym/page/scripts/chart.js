"use strict";
// Charts in SVG: axes with ticks and names, lines, bands, dots; drawn anew for the width that there is.

const SVG = "http://www.w3.org/2000/svg";

function svgElement(name, attributes, parent, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) addSubscripts(element, text);
  if (parent) parent.append(element);
  return element;
}

// "f_ε" as f with a subscript: [text, whether it is one].
function subscripts(text) {
  return text.split(/_([A-Za-zε]+)/).map((part, k) => [part, k % 2 === 1]).filter(([part]) => part);
}

function addSubscripts(element, text) {
  let lowered = false;
  for (const [part, low] of subscripts(text)) {
    if (!low && !lowered) {
      element.append(part);
      continue;
    }
    const span = document.createElementNS(SVG, "tspan");
    span.setAttribute("dy", low ? "0.25em" : "-0.19em");
    if (low) span.setAttribute("font-size", "76%");
    span.textContent = part;
    element.append(span);
    lowered = low;
  }
}

// Round numbers between low and high, about `count` of them.
function niceTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) ticks.push(k === 0 ? 0 : Number((k * step).toPrecision(12)));
  return ticks;
}

function decadeTicks(low, high) {
  const ticks = [];
  for (let k = Math.ceil(Math.log10(low) - 1e-9); k <= Math.log10(high) + 1e-9; k++) ticks.push(10 ** k);
  return ticks;
}

const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

function powerOfTen(value) {
  const exponent = Math.round(Math.log10(value));
  if (exponent >= -2 && exponent <= 2) return String(value);
  return `10${[...String(exponent)].map((c) => SUPERSCRIPTS[c]).join("")}`;
}

// A number for reading: a few digits, a true minus, powers of ten where it is tiny or huge.
function readable(value, digits = 6) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (size >= 1e-4 && size < 1e6) text = String(Number(value.toPrecision(digits)));
  else {
    const [mantissa, exponent] = value.toExponential(Math.min(digits - 1, 2)).split("e");
    text = `${mantissa}·10${[...exponent.replace("+", "")].map((c) => SUPERSCRIPTS[c]).join("")}`;
  }
  return text.replace(/^-/, "−");
}

const MARGIN = { left: 54, right: 14, top: 12, bottom: 40 };

class Chart {
  // host: the element to draw in. x and y: { low, high, name, log }.
  constructor(host, x, y, height = 260) {
    this.host = host;
    this.x = x;
    this.y = y;
    this.width = Math.max(240, host.clientWidth || 480);
    this.height = height;
    this.svg = svgElement("svg", { viewBox: `0 0 ${this.width} ${height}`, width: this.width, height, "aria-hidden": "true", focusable: "false" });
    this.right = this.width - MARGIN.right;
    this.bottom = height - MARGIN.bottom;
    this.frame();
    const id = `clip-${host.id}`;
    const clip = svgElement("clipPath", { id }, svgElement("defs", {}, this.svg));
    svgElement("rect", { x: MARGIN.left, y: MARGIN.top, width: this.right - MARGIN.left, height: this.bottom - MARGIN.top }, clip);
    this.inside = svgElement("g", { "clip-path": `url(#${id})` }, this.svg);
  }

  show() {
    this.host.replaceChildren(this.svg);
    return this;
  }

  px(value) {
    return MARGIN.left + share(this.x, value) * (this.right - MARGIN.left);
  }

  py(value) {
    return this.bottom - share(this.y, value) * (this.bottom - MARGIN.top);
  }

  // The coordinate under a pointer.
  valueAt(event) {
    const box = this.svg.getBoundingClientRect();
    const across = ((event.clientX - box.left) * (this.width / box.width) - MARGIN.left) / (this.right - MARGIN.left);
    const up = (this.bottom - (event.clientY - box.top) * (this.height / box.height)) / (this.bottom - MARGIN.top);
    return [unshare(this.x, across), unshare(this.y, up)];
  }

  frame() {
    const { x, y, bottom, right } = this;
    const across = x.log ? decadeTicks(x.low, x.high) : niceTicks(x.low, x.high, this.width / 90);
    const up = y.log ? decadeTicks(y.low, y.high) : niceTicks(y.low, y.high, this.height / 42);
    for (const tick of across) {
      svgElement("line", { class: "grid", x1: this.px(tick), x2: this.px(tick), y1: MARGIN.top, y2: bottom }, this.svg);
      svgElement("text", { class: "tick", x: this.px(tick), y: bottom + 15, "text-anchor": "middle" }, this.svg, x.log ? powerOfTen(tick) : readable(tick));
    }
    for (const tick of up) {
      svgElement("line", { class: "grid", x1: MARGIN.left, x2: right, y1: this.py(tick), y2: this.py(tick) }, this.svg);
      svgElement("text", { class: "tick", x: MARGIN.left - 7, y: this.py(tick) + 4, "text-anchor": "end" }, this.svg, y.log ? powerOfTen(tick) : readable(tick));
    }
    svgElement("line", { class: "axis", x1: MARGIN.left, x2: right, y1: bottom, y2: bottom }, this.svg);
    svgElement("text", { class: "name", x: (MARGIN.left + right) / 2, y: this.height - 6, "text-anchor": "middle" }, this.svg, x.name);
    const middle = (MARGIN.top + bottom) / 2;
    svgElement("text", { class: "name", x: 0, y: 0, "text-anchor": "middle", transform: `translate(12 ${middle}) rotate(-90)` }, this.svg, y.name);
  }

  line(xs, ys, kind) {
    let d = "", pen = "M";
    for (let k = 0; k < xs.length; k++) {
      if (!Number.isFinite(ys[k])) {
        pen = "M";
        continue;
      }
      d += `${pen}${this.px(xs[k]).toFixed(2)} ${this.py(ys[k]).toFixed(2)}`;
      pen = "L";
    }
    return svgElement("path", { class: `line ${kind}`, d: d || "M0 0" }, this.inside);
  }

  band(xs, lower, upper, kind) {
    let d = "";
    for (let k = 0; k < xs.length; k++) d += `${k ? "L" : "M"}${this.px(xs[k]).toFixed(2)} ${this.py(upper[k]).toFixed(2)}`;
    for (let k = xs.length - 1; k >= 0; k--) d += `L${this.px(xs[k]).toFixed(2)} ${this.py(lower[k]).toFixed(2)}`;
    return svgElement("path", { class: `band ${kind}`, d: `${d}Z` }, this.inside);
  }

  dot(x, y, kind, shape = "circle") {
    const [cx, cy] = [this.px(x), this.py(y)];
    if (shape === "circle") return svgElement("circle", { class: `dot ${kind}`, cx, cy, r: 4.5 }, this.inside);
    return svgElement("polygon", { class: `dot ${kind}`, points: outline(shape, cx, cy) }, this.inside);
  }

  vertical(x, kind) {
    return svgElement("line", { class: kind, x1: this.px(x), x2: this.px(x), y1: MARGIN.top, y2: this.bottom }, this.inside);
  }

  // Towards which side there is room for a text: 1 to the right, −1 to the left.
  side(x) {
    return x > (MARGIN.left + this.right) / 2 ? -1 : 1;
  }

  // A name, where there is room: else what stands before its first comma.
  named(name) {
    return this.width < 420 ? name.split(",")[0] : name;
  }

  // Intervals along the lower edge, each in a colour.
  strip(cells) {
    for (const { corners, colour, label } of cells) {
      const [a, b] = [this.px(corners[0][0]), this.px(corners[1][0])];
      const rect = svgElement("rect", { class: `cell c${colour % 8}`, x: a, width: Math.max(0, b - a), y: this.bottom - 9, height: 9 }, this.inside);
      if (label) svgElement("title", {}, rect, label);
      if (label && b - a > 9 * label.length + 8) {
        svgElement("text", { class: "cell-label", x: (a + b) / 2, y: this.bottom - 13, "text-anchor": "middle" }, this.inside, label);
      }
    }
  }
}

// A triangle that points up or down, or a diamond.
function outline(shape, x, y) {
  if (shape === "diamond") return `${x},${y - 6} ${x + 6},${y} ${x},${y + 6} ${x - 6},${y}`;
  const tip = shape === "up" ? -1 : 1;
  return `${x},${y + tip * 6} ${x - 5.5},${y - tip * 4} ${x + 5.5},${y - tip * 4}`;
}

function share({ low, high, log }, value) {
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

function unshare({ low, high, log }, part) {
  return log ? low * (high / low) ** part : low + part * (high - low);
}

// The range of all finite values of some curves, with room around it.
function rangeOf(...curves) {
  let low = Infinity, high = -Infinity;
  for (const curve of curves) {
    for (const v of curve) {
      if (!Number.isFinite(v)) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  if (!(low < high)) return { low: (Number.isFinite(low) ? low : 0) - 1, high: (Number.isFinite(low) ? low : 0) + 1 };
  const room = 0.07 * (high - low);
  return { low: low - room, high: high + room };
}
