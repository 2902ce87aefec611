"use strict";
// The commutative square: every arrow with its largest error over points of the line, beside what it may be.

const ULP = 2 ** -50;

// Arrows of a layer, { source, target, claim, error, bound } as in hjsym.diagram; curves are values at the points.
function layerArrows(layer, line, points, curves, eps) {
  const { s, soft: f, hard: f0, u, u0 } = curves;
  const action = points.map((p) => layer.action(p));
  const size = most(f0) + largest(action) + most(layer.initial) + eps * Math.log(layer.count + 1);
  const rounding = 8 * ULP * (size + largest(points.map((p) => most(layer.terms(p)))));
  const limit = eps * Math.log(layer.count);
  const few = s.filter((_, k) => k % Math.ceil(s.length / (layer.count > 2000 ? 3 : 9)) === 0);
  const slopes = few.map((x) => line.derivative(x, eps));
  const soft = slopes.map((p) => line.conjugate(p, eps)), hard = slopes.map((p) => line.conjugate(p, 0));
  const top = few.map((x) => line.slopes[argmax(line.terms(x))]);
  const touching = few.map((x, k) => logSumExp(line.terms(x), eps) + soft[k] - x * slopes[k]);
  const hardTouching = few.map((x, k) => logSumExp(line.terms(x), 0) + line.conjugate(top[k], 0) - x * top[k]);
  return [
    { source: "network", target: "tropical", claim: "0 ≤ f_ε − f₀ ≤ ε log N", error: above(f.map((v, k) => v - f0[k]), rounding), bound: limit + rounding },
    { source: "network", target: "viscous", claim: "f_ε + u_ε = |s|²/4κt, u_ε from its atoms", error: most(f.map((v, k) => v + u[k] - action[k])), bound: rounding },
    { source: "tropical", target: "inviscid", claim: "f₀ + u₀ = |s|²/4κt, u₀ by Hopf–Lax", error: most(f0.map((v, k) => v + u0[k] - action[k])), bound: rounding },
    { source: "viscous", target: "inviscid", claim: "0 ≤ u₀ − u_ε ≤ ε log N", error: above(u0.map((v, k) => v - u[k]), rounding), bound: limit + rounding },
    { source: "viscous", target: "viscous", claim: "u_t + κ|∇u|² = νΔu − εd/2t, relative", error: most(points.map((p) => layer.residual(p, eps))), bound: 16 * (layer.count + layer.variables + 10) * 2 ** -52 },
    { source: "network", target: "entropic", claim: "f_ε(s) + f_ε*(p) = s·p at p = f_ε′(s)", error: most(touching), bound: 64 * rounding },
    { source: "tropical", target: "polyhedral", claim: "f₀(s) + f₀*(p) = s·p at the steepest slope", error: most(hardTouching), bound: 64 * rounding },
    { source: "entropic", target: "polyhedral", claim: "0 ≤ f₀* − f_ε* ≤ ε log N", error: above(hard.map((v, k) => v - soft[k]), 64 * rounding), bound: limit + 64 * rounding },
  ];
}

// The largest of numbers that are to be 0 or more, ∞ if one is below by more than rounding.
function above(values, rounding) {
  return values.some((v) => v < -rounding) ? Infinity : largest(values);
}

function most(values) {
  return largest(Array.from(values, Math.abs));
}

// Arrows of a network for one output; values are those of all points of the line.
function networkArrows(network, output, curves, points, eps) {
  const { soft, hard, P, Q } = curves;
  const rounding = 2 ** -40 * (1 + most(P) + most(Q));
  const arrows = [
    { source: "network", target: "rails", claim: "f_ε = P_ε − Q_ε, by its rails", error: most(soft.map((v, k) => v - (P[k] - Q[k]))), bound: rounding },
    { source: "network", target: "tropical", claim: "|f_ε − f₀| ≤ bound·ε, proved for all inputs", error: most(soft.map((v, k) => v - hard[k])), bound: network.bound[output] * eps + rounding },
  ];
  const explicit = network.monomials && network.monomials[output];
  if (!explicit) return arrows;
  const p = points.map((x) => explicit.P.value(x)), q = points.map((x) => explicit.Q.value(x));
  const uP = points.map((x) => explicit.P.solution(x)), uQ = points.map((x) => explicit.Q.solution(x));
  const hardRounding = 2 ** -40 * (1 + most(p) + most(q) + most(uP) + most(uQ) + most(explicit.P.layer.initial));
  return [
    ...arrows,
    { source: "tropical", target: "explicit", claim: "f₀ = max P − max Q, by their essential monomials", error: most(hard.map((v, k) => v - (p[k] - q[k]))), bound: hardRounding },
    { source: "tropical", target: "pair", claim: "f₀ = u_Q − u_P, two Hopf–Lax solutions at t = 1", error: most(hard.map((v, k) => v - (uQ[k] - uP[k]))), bound: hardRounding },
  ];
}

const LAYER_CORNERS = {
  network: [0, 0, "f_ε", "network"], tropical: [1, 0, "f₀", "tropical"],
  viscous: [0, 1, "u_ε", "viscous HJ"], inviscid: [1, 1, "u₀", "inviscid HJ"],
  entropic: [0.31, 0.5, "f_ε*", "entropic"], polyhedral: [0.69, 0.5, "f₀*", "polyhedral"],
};

const NETWORK_CORNERS = {
  network: [0, 0, "f_ε", "network"], tropical: [1, 0, "f₀", "tropical"],
  rails: [0, 1, "P_ε − Q_ε", "its rails"], explicit: [0.5, 1, "P₀ − Q₀", "explicit maxima"], pair: [1, 1, "u_Q − u_P", "two HJ solutions"],
};

function drawSquare(host, corners, arrows) {
  const width = Math.max(300, Math.min(560, host.clientWidth || 460)), height = Math.round(width * 0.62);
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
  const place = ([x, y]) => [58 + x * (width - 116), 30 + y * (height - 66)];
  for (const { source, target, error, bound } of arrows) {
    if (source === target) continue;
    const bad = error <= bound ? "" : " bad";
    const [ax, ay] = place(corners[source]), [bx, by] = place(corners[target]);
    const length = Math.hypot(bx - ax, by - ay), [dx, dy] = [(bx - ax) / length, (by - ay) / length];
    const [from, to] = [Math.abs(dx) > 0.9 ? 46 : 34, Math.abs(dx) > 0.9 ? 46 : 26];
    const [sx, sy, ex, ey] = [ax + dx * from, ay + dy * from, bx - dx * to, by - dy * to];
    svgElement("line", { class: `arrow${bad}`, x1: sx, y1: sy, x2: ex, y2: ey }, svg);
    const head = `${ex + dx * 6},${ey + dy * 6} ${ex - dy * 4},${ey + dx * 4} ${ex + dy * 4},${ey - dx * 4}`;
    svgElement("polygon", { class: `head${bad}`, points: head }, svg);
    const text = svgElement("text", { class: "error", x: (sx + ex) / 2, y: (sy + ey) / 2 + 4, "text-anchor": "middle" }, svg, brief(error));
    if (Math.abs(dx) > 0.9) text.setAttribute("y", (sy + ey) / 2 - 6);
  }
  for (const corner of Object.values(corners)) {
    const [x, y] = place(corner);
    svgElement("text", { class: "corner", x, y: y + 4, "text-anchor": "middle" }, svg, corner[2]);
    svgElement("text", { class: "corner-name", x, y: y + 19, "text-anchor": "middle" }, svg, corner[3]);
  }
  host.replaceChildren(svg);
}

function brief(value) {
  if (!Number.isFinite(value)) return "✗";
  return readable(value, 2);
}
