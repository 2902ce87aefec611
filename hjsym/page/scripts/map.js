"use strict";
// The plane of a two-variable slice: a field in colours on a canvas; linear regions and points on top of it in SVG.

// Blue to yellow through grey, which every kind of colour vision orders alike, and so does a grey print.
const SCALE = [[0, 34, 78], [56, 76, 107], [112, 113, 115], [165, 156, 116], [219, 203, 100], [254, 232, 56]];
const SHAPES = { maximum: "up", minimum: "down", saddle: "diamond", degenerate: "diamond" };

function colourAt(part) {
  const place = Math.min(Math.max(part, 0), 1) * (SCALE.length - 1);
  const k = Math.min(Math.floor(place), SCALE.length - 2);
  return SCALE[k].map((c, i) => c + (SCALE[k + 1][i] - c) * (place - k));
}

class PlaneMap {
  constructor(host, view) {
    this.host = host;
    this.view = view;
    this.canvas = element("canvas", { "aria-hidden": "true" });
  }

  // field: null, or { values, size, low, high } from the lower left, row after row. critical: points of the plane with
  // their kinds. home: the second coordinate of the line of the bifurcation diagram, or null.
  draw({ field, cells, point, home, marks, critical }) {
    const { low, high, axes } = this.view;
    const height = Math.round(Math.min(460, Math.max(260, 0.8 * (this.host.clientWidth || 480))));
    const [x, y] = axes.map((name, k) => ({ low: low[k], high: high[k], name }));
    const chart = new Chart(this.host, x, y, height);
    this.chart = chart;
    chart.svg.classList.add("over-plane");
    this.host.replaceChildren(this.canvas, chart.svg);
    this.paint(field);
    for (const { corners, colour } of cells) {
      svgPolygon(chart.inside, field ? "cell outline" : `cell c${colour % 8}`, this.placed(corners));
    }
    if (!field) this.label(cells, marks);
    for (const { at, kind } of critical) chart.mark(at[0], at[1], `${kind} planar`, SHAPES[kind]);
    if (home !== null && home !== point[1]) chart.horizontal(home, "home");
    chart.horizontal(point[1], "cut under");
    chart.horizontal(point[1], "cut");
    for (const { at, name } of marks) this.note(at, name);
    for (const [kind, r] of [["point halo", 8], ["point", 5.5]]) {
      const [cx, cy] = this.placed([point])[0];
      svgElement("circle", { class: kind, cx, cy, r }, chart.inside);
    }
  }

  placed(corners) {
    return corners.map(([a, b]) => [this.chart.px(a), this.chart.py(b)]);
  }

  note(at, name) {
    const [cx, cy] = this.placed([at])[0];
    svgElement("circle", { class: "mark", cx, cy, r: 4 }, this.chart.inside);
    this.chart.note(cx, cy - 8, name, 8);
  }

  // The canvas lies exactly behind the frame of the chart.
  paint(field) {
    const { canvas, chart } = this;
    canvas.hidden = !field;
    if (!field) return;
    const percent = (part, whole) => `${(100 * part) / whole}%`;
    canvas.style.left = percent(MARGIN.left, chart.width);
    canvas.style.top = percent(MARGIN.top, chart.height);
    canvas.style.width = percent(chart.right - MARGIN.left, chart.width);
    canvas.style.height = percent(chart.bottom - MARGIN.top, chart.height);
    canvas.width = canvas.height = field.size;
    const context = canvas.getContext("2d");
    const image = context.createImageData(field.size, field.size);
    const range = field.high - field.low || 1;
    field.values.forEach((value, k) => {
      const [row, column] = [Math.floor(k / field.size), k % field.size];
      const at = 4 * ((field.size - 1 - row) * field.size + column);
      image.data.set([...colourAt((value - field.low) / range), 255], at);
    });
    context.putImageData(image, 0, 0);
  }

  // The label of each kind of cell, in its largest cell and in others with room, and not under the name of a point.
  label(cells, marks) {
    const sized = cells.map(({ corners, label }) => {
      const placed = this.placed(corners);
      return { label, placed, area: areaOf(placed) };
    });
    sized.sort((a, b) => b.area - a.area);
    const names = this.placed(marks.map(({ at }) => at));
    const seen = new Set();
    for (const { label, placed, area } of sized) {
      if (!label || area < (seen.has(label) ? 6000 : 350)) continue;
      seen.add(label);
      const [x, y] = [0, 1].map((k) => placed.reduce((sum, c) => sum + c[k], 0) / placed.length);
      const hidden = names.some(([a, b]) => Math.abs(a - x) < 110 && Math.abs(b - 8 - y) < 16);
      svgText(this.chart.inside, "cell-label", [x, hidden ? y - 22 : y + 4], label);
    }
  }
}

function areaOf(corners) {
  let twice = 0;
  corners.forEach(([x, y], k) => {
    const [nx, ny] = corners[(k + 1) % corners.length];
    twice += x * ny - nx * y;
  });
  return Math.abs(twice) / 2;
}
