"use strict";
// The panels of a layer's entropy along the line, of its bifurcations, and of its conjugates.

function markCritical(chart, found, place) {
  for (const point of found) chart.mark(...place(point), point.kind, SHAPES[point.kind]);
}

// Returns the chart.
function showEntropy(points, found) {
  const entropy = points.map((p) => layer.entropy(p, state.eps));
  const here = layer.entropy(state.point, state.eps);
  const y = { low: 0, high: 1.12 * Math.max(1e-3, largest(entropy)), name: "H (nats)" };
  const chart = new Chart(byId("entropy"), axisOfLine(), y, 240);
  chart.line(points.map((p) => p[0]), entropy, "entropy");
  chart.vertical(state.point[0], "here");
  markCritical(chart, found, (p) => [p.s, p.entropy]);
  chart.mark(state.point[0], here, "event");
  const maxima = found.filter(({ kind }) => kind === "maximum").length;
  const rows = [
    ["entropy", "H at the point, nats", here],
    ["maxima", "maxima in the window", maxima],
    ["minima", "minima in the window", found.length - maxima],
  ];
  showValues(byId("entropy-values"), rows);
  describePicture("entropy", rows);
  const heads = [["place", "number"], ["kind", "name"], ["H (nats)", "number"]];
  showTable(byId("critical"), "", heads, found.map((point, k) => [
    cell(`critical-${k}`, point.s, 9), point.kind, cell(`critical-entropy-${k}`, point.entropy),
  ]));
  return chart.show();
}

// The curves are those of one line; critical points are marked while the point is on it.
function showDiagram(found) {
  const { range: [low, high], pieces, events, at } = data.bifurcation;
  const x = { low, high, name: "temperature ε", log: true };
  const chart = new Chart(byId("diagram"), x, axisOfLine(), 280);
  for (const { kind, eps, x: places } of pieces) chart.line(eps, places, kind);
  const present = Math.min(Math.max(state.eps, low), high);
  chart.vertical(present, "now");
  if (at[0] === state.point[1]) markCritical(chart, found, (p) => [present, p.s]);
  for (const { eps, x: place } of events) chart.mark(eps, place, "event");
  chart.show();
  const text = `Critical points of the entropy against ε, with ${events.length} bifurcations, listed below.`;
  byId("diagram").setAttribute("aria-label", text);
}

function showConjugates() {
  const line = lineOfLayer(), { eps } = state, { hull } = line;
  const shown = hull.length > 1 && layer.count <= 2000;
  byId("conjugate-panel").hidden = !shown;
  if (!shown) return;
  const soft = line.conjugateCurve(eps, view.low[0], view.high[0]);
  const [places, hard] = [0, 1].map((k) => hull.map((corner) => corner[k]));
  const x = { low: places[0], high: places.at(-1), name: "slope p" };
  const chart = new Chart(byId("conjugate"), x, { ...rangeOf(soft.values, hard), name: "f*" }, 240);
  chart.line(places, hard, "tropical");
  chart.line(soft.slopes, soft.values, "network");
  const slope = line.derivative(state.point[0], eps);
  chart.vertical(slope, "here");
  chart.show();
  const rows = [
    ["slope", "p = f_ε′(s) at the point", slope],
    ["soft-conjugate", "f_ε*(p)", line.conjugate(slope, eps)],
    ["hard-conjugate", "f₀*(p)", line.conjugate(slope, 0)],
  ];
  showValues(byId("conjugate-values"), rows);
  describePicture("conjugate", rows);
}
