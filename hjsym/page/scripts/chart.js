"use strict";
// Charts in SVG: axes with ticks and names, lines, bands, marks; drawn anew for the width that there is.

const MARGIN = { left: 54, right: 14, top: 12, bottom: 40 };

class Chart {
  // host: the element to draw in. x and y: { low, high, name, log }.
  constructor(host, x, y, height) {
    this.host = host;
    this.x = x;
    this.y = y;
    this.width = Math.max(240, host.clientWidth || 480);
    this.height = height;
    this.right = this.width - MARGIN.right;
    this.bottom = height - MARGIN.bottom;
    const size = { viewBox: `0 0 ${this.width} ${height}`, width: this.width, height };
    this.svg = svgElement("svg", { ...size, "aria-hidden": "true", focusable: "false" });
    this.frame();
    this.inside = this.clipped();
  }

  show() {
    this.host.replaceChildren(this.svg);
    return this;
  }

  // ---- coordinates ----

  px(value) {
    return MARGIN.left + share(this.x, value) * (this.right - MARGIN.left);
  }

  py(value) {
    return this.bottom - share(this.y, value) * (this.bottom - MARGIN.top);
  }

  // What is under a pointer.
  valueAt(event) {
    const box = this.svg.getBoundingClientRect();
    const x = (event.clientX - box.left) * (this.width / box.width);
    const y = (event.clientY - box.top) * (this.height / box.height);
    const across = (x - MARGIN.left) / (this.right - MARGIN.left);
    const up = (this.bottom - y) / (this.bottom - MARGIN.top);
    return [unshare(this.x, across), unshare(this.y, up)];
  }

  // Towards which side there is room for a text: 1 to the right, −1 to the left.
  side(x) {
    return x > (MARGIN.left + this.right) / 2 ? -1 : 1;
  }

  // ---- the frame ----

  frame() {
    const { svg, x, y, bottom, right } = this;
    for (const tick of ticksOf(x, this.width / 90)) {
      const at = this.px(tick);
      svgLine(svg, "grid", [at, MARGIN.top], [at, bottom]);
      svgText(svg, "tick", [at, bottom + 15], tickName(x, tick));
    }
    for (const tick of ticksOf(y, this.height / 42)) {
      const at = this.py(tick);
      svgLine(svg, "grid", [MARGIN.left, at], [right, at]);
      svgText(svg, "tick", [MARGIN.left - 7, at + 4], tickName(y, tick), "end");
    }
    svgLine(svg, "axis", [MARGIN.left, bottom], [right, bottom]);
    svgText(svg, "name", [(MARGIN.left + right) / 2, this.height - 6], x.name);
    const name = svgText(svg, "name", [0, 0], y.name);
    name.setAttribute("transform", `translate(12 ${(MARGIN.top + bottom) / 2}) rotate(-90)`);
  }

  // The group of what is seen inside the axes only.
  clipped() {
    const id = `clip-${this.host.id}`;
    const clip = svgElement("clipPath", { id }, svgElement("defs", {}, this.svg));
    const size = { width: this.right - MARGIN.left, height: this.bottom - MARGIN.top };
    svgElement("rect", { x: MARGIN.left, y: MARGIN.top, ...size }, clip);
    return svgElement("g", { "clip-path": `url(#${id})` }, this.svg);
  }

  // ---- what is in it ----

  // Gaps where values are not finite.
  line(xs, ys, kind) {
    let d = "", pen = "M";
    for (let k = 0; k < xs.length; k++) {
      const drawn = Number.isFinite(ys[k]);
      if (drawn) d += `${pen}${this.px(xs[k]).toFixed(2)} ${this.py(ys[k]).toFixed(2)}`;
      pen = drawn ? "L" : "M";
    }
    svgElement("path", { class: `line ${kind}`, d: d || "M0 0" }, this.inside);
  }

  band(xs, lower, upper) {
    const corner = (x, y) => [this.px(x), this.py(y)];
    const there = Array.from(xs, (x, k) => corner(x, upper[k]));
    const back = Array.from(xs, (x, k) => corner(x, lower[k])).reverse();
    svgPolygon(this.inside, "band", [...there, ...back]);
  }

  mark(x, y, kind, shape = "circle") {
    svgMark(this.inside, kind, [this.px(x), this.py(y)], shape);
  }

  vertical(x, kind) {
    svgLine(this.inside, kind, [this.px(x), MARGIN.top], [this.px(x), this.bottom]);
  }

  horizontal(y, kind) {
    svgLine(this.inside, kind, [MARGIN.left, this.py(y)], [this.right, this.py(y)]);
  }

  // The name of a point of note; where it is narrow what stands before the first comma.
  note(x, y, name, distance) {
    const side = this.side(x);
    const text = this.width < 420 ? name.split(",")[0] : name;
    svgText(this.inside, "mark-name", [x + distance * side, y], text, side < 0 ? "end" : "start");
  }

  // Intervals along the lower edge, each in a colour.
  strip(cells) {
    for (const { corners, colour, label } of cells) {
      const [a, b] = [this.px(corners[0][0]), this.px(corners[1][0])];
      const size = { width: Math.max(0, b - a), height: 9 };
      svgElement("rect", { class: `cell c${colour % 8}`, x: a, y: this.bottom - 9, ...size }, this.inside);
      if (label && b - a > 9 * label.length + 8) {
        svgText(this.inside, "cell-label", [(a + b) / 2, this.bottom - 13], label);
      }
    }
  }
}

function share({ low, high, log }, value) {
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

function unshare({ low, high, log }, part) {
  return log ? low * (high / low) ** part : low + part * (high - low);
}

function ticksOf({ low, high, log }, count) {
  return log ? decadeTicks(low, high) : niceTicks(low, high, count);
}

function tickName({ log }, tick) {
  return log ? powerOfTen(tick) : readable(tick);
}
