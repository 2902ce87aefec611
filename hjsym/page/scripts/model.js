"use strict";
// The model that the page is about, what is looked at, and every value that is shown of it.

const data = JSON.parse(byId("data").textContent);
const view = data.view;
const layer = data.layer ? new Layer(data.layer) : null;
const network = data.network ? new Network(data.network) : null;
const table = data.table ?? null;
const state = { eps: 0, point: data.start.slice(), output: 0, field: "regions" };

// What one value costs, in numbers that are touched.
function costOfValue() {
  if (layer) return 5 * layer.count;
  const matrices = data.network.nodes.flatMap((node) => node.matrices ?? []);
  return matrices.reduce((sum, { data: numbers }) => sum + numbers.length, 1);
}

// How many points a curve has: fewer where each costs more.
function between(least, numbers, greatest) {
  return Math.max(least, Math.min(greatest, Math.round(numbers / costOfValue())));
}

function pointsOfLine() {
  if (table) return table.points.map((s) => [s]);
  const line = linspace(view.low[0], view.high[0], between(61, 2e6, 301));
  return Array.from(line, (s) => [s, ...state.point.slice(1)]);
}

let cachedLine = null;

// The layer along the line through the point; its hull is kept while the line stays.
function lineOfLayer() {
  const rest = state.point.slice(1);
  if (!cachedLine || cachedLine.rest !== rest[0]) cachedLine = { rest: rest[0], line: new Line(layer, rest) };
  return cachedLine.line;
}

function criticalOnLine() {
  if (!layer) return [];
  return criticalPoints(lineOfLayer(), state.eps, view.low[0], view.high[0], between(97, 2e6, 401));
}

// The entries of one output among values that are held point after point.
function column(values, count, output) {
  const size = values.length / count;
  return Array.from({ length: count }, (_, p) => values[p * size + output]);
}

// f_ε, f₀ and what belongs to them at points, at the present ε.
function valuesAt(points) {
  const s = points.map((p) => p[0]), { eps, output } = state;
  if (layer) {
    const soft = points.map((p) => layer.value(p, eps)), hard = points.map((p) => layer.value(p, 0));
    const u = points.map((p) => layer.solution(p, eps)), u0 = points.map((p) => layer.solution(p, 0));
    return { s, soft, hard, u, u0, reading: points.map((p, k) => layer.action(p) - u[k]), bound: 0 };
  }
  if (table) {
    const row = table.eps.indexOf(eps), places = s.map((v) => nearest(table.points, v));
    const [soft, hard] = [row, 0].map((k) => places.map((place) => table.values[k][output][place]));
    return { s, soft, hard, reading: null, bound: table.bound[output] * eps };
  }
  const flat = Float64Array.from(points.flat()), count = points.length;
  const [soft, hard] = [eps, 0].map((e) => column(network.values(flat, count, e), count, output));
  const parts = network.parts(flat, count, eps);
  const [P, Q] = [parts.P, parts.Q].map((part) => column(part, count, output));
  return { s, soft, hard, P, Q, reading: minus(P, Q), bound: network.bound[output] * eps };
}

// The place of the nearest of some numbers.
function nearest(numbers, value) {
  return argmax(numbers.map((v) => -Math.abs(v - value)));
}

// f_ε or the entropy on a grid of the plane, as fine as its cost allows.
function fieldOf(kind) {
  const size = Math.max(24, Math.min(96, Math.floor(Math.sqrt(8e6 / costOfValue()))));
  const [across, up] = [0, 1].map((k) => Array.from(linspace(view.low[k], view.high[k], size)));
  const points = up.flatMap((b) => across.map((a) => [a, b]));
  let values;
  if (kind === "entropy") values = points.map((p) => layer.entropy(p, state.eps));
  else if (layer) values = points.map((p) => layer.value(p, state.eps));
  else {
    const flat = Float64Array.from(points.flat());
    values = column(network.values(flat, points.length, state.eps), points.length, state.output);
  }
  return { values, size, low: -largest(values.map((v) => -v)), high: largest(values) };
}

// ε log(1 + count·e^{−Δ/ε}), which neurons add that are at least Δ below the largest.
function leftOutBound({ count, gap }, eps) {
  return eps === 0 ? Math.max(0, -gap) : logSumExp([0, eps * Math.log(count) - gap], eps);
}
