"use strict";
// The commutative square: every arrow with its largest error over points of the line, beside what it may be.

const ULP = 2 ** -50;
const FEW = 9; // points at which conjugates are compared, each a search

// The largest of numbers that are to be 0 or more, ∞ if one is below by more than rounding.
function above(values, rounding) {
  return values.some((v) => v < -rounding) ? Infinity : largest(values);
}

// Arrows of a layer, { source, target, claim, error, bound } as in hjsym.diagram; curves are values at the points.
function layerArrows(layer, line, points, curves, eps) {
  const { s, soft, hard, u, u0 } = curves;
  const action = points.map((p) => layer.action(p));
  const limit = eps * Math.log(layer.count);
  const terms = largest(points.map((p) => most(layer.terms(p))));
  const rounding = 8 * ULP * (most(hard) + most(action) + most(layer.initial) + terms + limit + eps);
  const equation = 16 * (layer.count + layer.variables + 10) * Number.EPSILON;
  const sumsToAction = (f, w) => most(f.map((v, k) => v + w[k] - action[k]));
  const arrow = (source, target, claim, error, bound) => ({ source, target, claim, error, bound });
  return [
    arrow("network", "tropical", "0 ≤ f_ε − f₀ ≤ ε log N", above(minus(soft, hard), rounding), limit + rounding),
    arrow("network", "viscous", "f_ε + u_ε = |s|²/4κt, u_ε from its atoms", sumsToAction(soft, u), rounding),
    arrow("tropical", "inviscid", "f₀ + u₀ = |s|²/4κt, u₀ by Hopf–Lax", sumsToAction(hard, u0), rounding),
    arrow("viscous", "inviscid", "0 ≤ u₀ − u_ε ≤ ε log N", above(minus(u0, u), rounding), limit + rounding),
    arrow("viscous", "viscous", "u_t + κ|∇u|² = νΔu − εd/2t, relative",
      most(points.map((p) => layer.residual(p, eps))), equation),
    ...conjugateArrows(line, s, eps, limit, 64 * rounding),
  ];
}

function conjugateArrows(line, s, eps, limit, rounding) {
  const few = s.filter((_, k) => k % Math.ceil(s.length / (line.slopes.length > 2000 ? 3 : FEW)) === 0);
  const slopes = few.map((x) => line.derivative(x, eps));
  const steepest = few.map((x) => line.slopes[argmax(line.terms(x))]);
  const soft = slopes.map((p) => line.conjugate(p, eps)), hard = slopes.map((p) => line.conjugate(p, 0));
  const gap = (at, p, value) => few.map((x, k) => logSumExp(line.terms(x), at) + value[k] - x * p[k]);
  const corners = steepest.map((p) => line.conjugate(p, 0));
  const arrow = (source, target, claim, error, bound) => ({ source, target, claim, error, bound });
  return [
    arrow("network", "entropic", "f_ε(s) + f_ε*(p) = s·p at p = f_ε′(s)", most(gap(eps, slopes, soft)), rounding),
    arrow("tropical", "polyhedral", "f₀(s) + f₀*(p) = s·p at the steepest slope",
      most(gap(0, steepest, corners)), rounding),
    arrow("entropic", "polyhedral", "0 ≤ f₀* − f_ε* ≤ ε log N",
      above(minus(hard, soft), rounding), limit + rounding),
  ];
}

// Arrows of a network for one output; curves are values at the points.
function networkArrows(network, output, curves, points, eps) {
  const { soft, hard, P, Q } = curves;
  const rounding = 2 ** -40 * (1 + most(P) + most(Q));
  const bound = network.bound[output] * eps + rounding;
  const arrow = (source, target, claim, error, allowed) => ({ source, target, claim, error, bound: allowed });
  const arrows = [
    arrow("network", "rails", "f_ε = P_ε − Q_ε, by its rails", most(minus(soft, minus(P, Q))), rounding),
    arrow("network", "tropical", "|f_ε − f₀| ≤ bound·ε, for all inputs", most(minus(soft, hard)), bound),
  ];
  if (!network.monomials) return arrows;
  const explicit = network.monomials[output];
  const at = (name) => [explicit.P, explicit.Q].map((part) => points.map((x) => part[name](x)));
  const [p, q] = at("value"), [uP, uQ] = at("solution");
  const sizes = [p, q, uP, uQ, explicit.P.layer.initial, explicit.Q.layer.initial].map(most);
  const allowed = 2 ** -40 * (1 + sizes.reduce((a, b) => a + b));
  return [
    ...arrows,
    arrow("tropical", "explicit", "f₀ = max P − max Q, by their essential monomials",
      most(minus(hard, minus(p, q))), allowed),
    arrow("tropical", "pair", "f₀ = u_Q − u_P, two Hopf–Lax solutions at t = 1",
      most(minus(hard, minus(uQ, uP))), allowed),
  ];
}

// Corners: place in the unit square, symbol, name.
const LAYER_CORNERS = {
  network: [0, 0, "f_ε", "network"],
  tropical: [1, 0, "f₀", "tropical"],
  viscous: [0, 1, "u_ε", "viscous HJ"],
  inviscid: [1, 1, "u₀", "inviscid HJ"],
  entropic: [0.29, 0.5, "f_ε*", "entropic"],
  polyhedral: [0.71, 0.5, "f₀*", "polyhedral"],
};

const NETWORK_CORNERS = {
  network: [0, 0, "f_ε", "network"],
  tropical: [1, 0, "f₀", "tropical"],
  rails: [0, 1, "P_ε − Q_ε", "its rails"],
  explicit: [0.5, 1, "P₀ − Q₀", "explicit maxima"],
  pair: [1, 1, "u_Q − u_P", "two HJ solutions"],
};

function drawSquare(host, corners, arrows) {
  const width = Math.max(300, Math.min(560, host.clientWidth || 460)), height = Math.round(width * 0.62);
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
  const place = ([x, y]) => [58 + x * (width - 116), 30 + y * (height - 66)];
  for (const arrow of arrows) {
    const ends = [arrow.source, arrow.target].map((name) => place(corners[name]));
    if (arrow.source !== arrow.target) drawArrow(svg, ...ends, arrow);
  }
  for (const corner of Object.values(corners)) {
    const [x, y] = place(corner);
    svgText(svg, "corner", [x, y + 4], corner[2]);
    svgText(svg, "corner-name", [x, y + 19], corner[3]);
  }
  host.replaceChildren(svg);
}

// From a to b with room for the symbols at its ends, and its error in the middle, above a level arrow.
function drawArrow(svg, [ax, ay], [bx, by], { error, bound }) {
  const length = Math.hypot(bx - ax, by - ay), [dx, dy] = [(bx - ax) / length, (by - ay) / length];
  const level = Math.abs(dx) > 0.9, bad = error <= bound ? "" : " bad";
  const [from, to] = !level ? [34, 26] : length < 150 ? [24, 28] : [46, 46];
  const start = [ax + dx * from, ay + dy * from], end = [bx - dx * to, by - dy * to];
  svgLine(svg, `arrow${bad}`, start, end);
  const [ex, ey] = end;
  const head = [[ex + dx * 6, ey + dy * 6], [ex - dy * 4, ey + dx * 4], [ex + dy * 4, ey - dx * 4]];
  svgPolygon(svg, `head${bad}`, head);
  const middle = [(start[0] + ex) / 2, (start[1] + ey) / 2 + (level ? -6 : 4)];
  svgText(svg, "error", middle, Number.isFinite(error) ? readable(error, 2) : "✗");
}
