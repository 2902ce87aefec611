"use strict";
// The plane of a two-variable slice: a field in colours on a canvas, linear regions and points on top of it in SVG.

// Blue to yellow through grey, which every kind of colour vision orders alike, and so does a grey print.
const SCALE = [[0, 34, 78], [56, 76, 107], [112, 113, 115], [165, 156, 116], [219, 203, 100], [254, 232, 56]];

function colourAt(part) {
  const place = Math.min(Math.max(part, 0), 1) * (SCALE.length - 1);
  const k = Math.min(Math.floor(place), SCALE.length - 2);
  return SCALE[k].map((c, i) => c + (SCALE[k + 1][i] - c) * (place - k));
}

class PlaneMap {
  constructor(host, view) {
    this.host = host;
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.view = view;
  }

  // field: null, or { values, columns, rows, low, high } from the lower left, row after row.
  // critical: points of the plane with their kinds.
  draw({ field, cells, labelled, point, home, marks, critical }) {
    const { low, high, axes } = this.view;
    const width = Math.max(240, this.host.clientWidth || 480);
    const height = Math.round(Math.min(460, Math.max(260, width * 0.8)));
    const chart = new Chart(this.host, { low: low[0], high: high[0], name: axes[0] }, { low: low[1], high: high[1], name: axes[1] }, height);
    chart.svg.classList.add("over-plane");
    this.chart = chart;
    this.host.replaceChildren(this.canvas, chart.svg);
    this.place(chart, field);
    for (const { corners, colour } of cells) {
      const points = corners.map(([a, b]) => `${chart.px(a).toFixed(1)},${chart.py(b).toFixed(1)}`).join(" ");
      svgElement("polygon", { class: field ? "cell outline" : `cell c${colour % 8}`, points }, chart.inside);
    }
    if (labelled) this.labels(chart, cells, marks);
    for (const { at, kind } of critical) {
      const shape = { maximum: "up", minimum: "down" }[kind] ?? "diamond";
      chart.dot(at[0], at[1], `${kind} planar`, shape);
    }
    const across = { x1: MARGIN.left, x2: chart.right, y1: chart.py(point[1]), y2: chart.py(point[1]) };
    svgElement("line", { class: "cut under", ...across }, chart.inside);
    svgElement("line", { class: "cut", ...across }, chart.inside);
    if (home !== null && home !== point[1]) {
      svgElement("line", { class: "home", x1: MARGIN.left, x2: chart.right, y1: chart.py(home), y2: chart.py(home) }, chart.inside);
    }
    for (const { at, name } of marks) {
      svgElement("circle", { class: "mark", cx: chart.px(at[0]), cy: chart.py(at[1]), r: 4 }, chart.inside);
      const side = chart.side(chart.px(at[0]));
      svgElement("text", { class: "mark-name", x: chart.px(at[0]) + 8 * side, y: chart.py(at[1]) - 8, "text-anchor": side < 0 ? "end" : "start" }, chart.inside, chart.named(name));
    }
    svgElement("circle", { class: "point halo", cx: chart.px(point[0]), cy: chart.py(point[1]), r: 8 }, chart.inside);
    svgElement("circle", { class: "point", cx: chart.px(point[0]), cy: chart.py(point[1]), r: 5.5 }, chart.inside);
  }

  // The canvas lies exactly behind the frame of the chart.
  place(chart, field) {
    const { canvas } = this;
    canvas.hidden = !field;
    if (!field) return;
    canvas.style.left = `${(MARGIN.left / chart.width) * 100}%`;
    canvas.style.top = `${(MARGIN.top / chart.height) * 100}%`;
    canvas.style.width = `${((chart.right - MARGIN.left) / chart.width) * 100}%`;
    canvas.style.height = `${((chart.bottom - MARGIN.top) / chart.height) * 100}%`;
    canvas.width = field.columns;
    canvas.height = field.rows;
    const context = canvas.getContext("2d");
    const image = context.createImageData(field.columns, field.rows);
    for (let row = 0; row < field.rows; row++) {
      for (let column = 0; column < field.columns; column++) {
        const value = field.values[row * field.columns + column];
        const colour = colourAt((value - field.low) / (field.high - field.low || 1));
        const at = 4 * ((field.rows - 1 - row) * field.columns + column);
        image.data.set([...colour, 255], at);
      }
    }
    context.putImageData(image, 0, 0);
  }

  // The label of each kind of cell, in its largest cell and in others with room.
  labels(chart, cells, marks) {
    const sized = cells.map((cell) => ({ ...cell, area: areaOf(cell.corners.map(([a, b]) => [chart.px(a), chart.py(b)])) }));
    sized.sort((a, b) => b.area - a.area);
    const seen = new Set();
    for (const { corners, label, area } of sized) {
      if (!label || area < (seen.has(label) ? 6000 : 350)) continue;
      seen.add(label);
      const x = corners.reduce((sum, c) => sum + chart.px(c[0]), 0) / corners.length;
      const middle = corners.reduce((sum, c) => sum + chart.py(c[1]), 0) / corners.length;
      const hidden = marks.some(({ at }) => Math.abs(chart.px(at[0]) - x) < 110 && Math.abs(chart.py(at[1]) - 8 - middle) < 16);
      const y = hidden ? middle - 26 : middle; // not under the name of a point
      svgElement("text", { class: "cell-label", x, y: y + 4, "text-anchor": "middle" }, chart.inside, label);
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
