"use strict";
// Controls, and what is drawn when one of them moves.

const data = JSON.parse(byId("data").textContent);
const view = data.view;
const layer = data.layer ? new Layer(data.layer) : null;
const network = data.network ? new Network(data.network) : null;
const table = data.table ?? null;
const plane = view.variables === 2 ? new PlaneMap(byId("map"), view) : null;
const STEPS = 1000;
const PANEL_GAP = 20;
const PLURALS = { maximum: "maxima", saddle: "saddles", minimum: "minima", degenerate: "degenerate points" };
const state = { eps: 0, point: data.start.slice(), output: 0, field: "regions", line: null };

// ---- values ----------------------------------------------------------------------------------------

// How many points a curve has: fewer where each costs more.
function samples() {
  if (table) return table.points.length;
  const cost = layer ? layer.count : data.network.nodes.reduce((sum, node) => sum + (node.matrices ?? []).reduce((n, m) => n + m.data.length, 0), 1);
  return Math.max(61, Math.min(301, Math.round((layer ? 4e5 : 2e6) / cost)));
}

function pointsOfLine() {
  return Array.from(linspace(view.low[0], view.high[0], samples()), (s) => [s, ...state.point.slice(1)]);
}

function column(values, count, output) {
  const size = values.length / count;
  return Array.from({ length: count }, (_, p) => values[p * size + output]);
}

// The curves along the line through the point, at the present ε.
function curvesAt(points) {
  const s = points.map((p) => p[0]), { eps, output } = state;
  if (layer) {
    const soft = points.map((p) => layer.value(p, eps)), hard = points.map((p) => layer.value(p, 0));
    const u = points.map((p) => layer.solution(p, eps)), u0 = points.map((p) => layer.solution(p, 0));
    return { s, soft, hard, u, u0, reading: points.map((p, k) => layer.action(p) - u[k]), bound: 0 };
  }
  if (table) {
    const k = table.eps.indexOf(eps);
    return { s: table.points, soft: table.values[k][output], hard: table.values[0][output], reading: null, bound: table.bound[output] * eps };
  }
  const flat = Float64Array.from(points.flat());
  const [soft, hard] = [eps, 0].map((e) => column(network.values(flat, points.length, e), points.length, output));
  const parts = network.parts(flat, points.length, eps);
  const [P, Q] = [parts.P, parts.Q].map((part) => column(part, points.length, output));
  return { s, soft, hard, P, Q, reading: P.map((v, k) => v - Q[k]), bound: network.bound[output] * eps };
}

// The same at the point itself.
function valuesAt(point) {
  const { eps, output } = state;
  if (layer) {
    const u = layer.solution(point, eps), value = layer.value(point, eps), hard = layer.value(point, 0);
    return { value, hard, u, u0: layer.solution(point, 0), reading: layer.action(point) - u };
  }
  if (table) {
    const k = nearestOf(table.points, point[0]), row = table.eps.indexOf(eps);
    return { value: table.values[row][output][k], hard: table.values[0][output][k] };
  }
  const flat = Float64Array.from(point);
  const parts = network.parts(flat, 1, eps);
  return { value: network.values(flat, 1, eps)[output], hard: network.values(flat, 1, 0)[output], P: parts.P[output], Q: parts.Q[output], reading: parts.P[output] - parts.Q[output] };
}

function nearestOf(sorted, value) {
  let best = 0;
  sorted.forEach((v, k) => {
    if (Math.abs(v - value) < Math.abs(sorted[best] - value)) best = k;
  });
  return best;
}

// ---- the slider for ε: 0, then a log scale ------------------------------------------------------------

function epsOf(position) {
  if (table) return table.eps[position];
  if (position === 0) return 0;
  if (position === STEPS) return data.eps.high;
  return data.eps.low * (data.eps.high / data.eps.low) ** ((position - 1) / (STEPS - 1));
}

function positionOf(eps) {
  if (table) return nearestOf(table.eps, eps);
  if (eps === 0) return 0;
  const part = Math.log(eps / data.eps.low) / Math.log(data.eps.high / data.eps.low);
  return Math.round(1 + Math.min(Math.max(part, 0), 1) * (STEPS - 1));
}

function setEps(eps, fromSlider = false) {
  state.eps = table ? table.eps[nearestOf(table.eps, eps)] : eps;
  const slider = byId("eps");
  if (!fromSlider) slider.value = String(positionOf(state.eps));
  const text = state.eps === 0 ? "0, tropical" : readable(state.eps, 5);
  byId("eps-value").textContent = text;
  byId("eps-value").dataset.value = String(state.eps);
  slider.setAttribute("aria-valuetext", `ε = ${text}`);
  byId("eps-exact").value = String(state.eps);
  byId("eps-exact").removeAttribute("aria-invalid");
  schedule();
}

function setPoint(k, value) {
  const bounded = Math.min(Math.max(value, view.low[k]), view.high[k]);
  state.point[k] = table ? table.points[nearestOf(table.points, bounded)] : bounded;
  const slider = byId(`point-${k}`);
  const text = readable(state.point[k], 4);
  slider.value = String(Math.round((STEPS * (state.point[k] - view.low[k])) / (view.high[k] - view.low[k])));
  slider.setAttribute("aria-valuetext", `${view.axes[k]} = ${text}`);
  byId(`point-${k}-value`).textContent = text;
  byId(`point-${k}-value`).dataset.value = String(state.point[k]);
  schedule();
}

// ---- drawing ----------------------------------------------------------------------------------------

let pending = 0, drawn = 0;

// All changes of one frame are drawn once.
function schedule() {
  pending += 1;
  if (pending === 1) requestAnimationFrame(draw);
}

function draw() {
  pending = 0;
  const points = pointsOfLine();
  const curves = curvesAt(points), at = valuesAt(state.point);
  if (layer && (state.line === null || state.line.rest !== state.point[1])) {
    state.line = { rest: state.point[1], line: new Line(layer, state.point.slice(1)) };
  }
  const found = layer ? criticalPoints(state.line.line, state.eps, view.low[0], view.high[0], Math.min(401, Math.max(97, Math.round(4e5 / layer.count)))) : [];
  showCurves(curves, at);
  showParts(curves, at);
  if (layer) {
    showLayerAttribution();
    showEntropy(points, found);
    showConjugates();
  } else if (network) showNetworkAttribution();
  if (data.bifurcation) showDiagram(found);
  if (!table) showSquare(curves, points);
  if (plane) showMap();
  pack();
  announce(at);
  drawn += 1;
}

function showCurves(curves, at) {
  const chart = drawCurves(curves, view, state.point, {
    cells: view.variables === 1 && data.regions ? data.regions.cells : null,
    marks: view.marks.filter(({ at: place }) => view.variables === 1 || place[1] === state.point[1]),
  });
  chart.dot(state.point[0], at.hard, "tropical");
  chart.dot(state.point[0], at.value, "network");
  state.chart = chart.show();
  const rows = [["f", "f_ε at the point", at.value], ["f0", "f₀, tropical", at.hard], ["excess", "f_ε − f₀", at.value - at.hard]];
  if (layer) rows.push(["reading", "|s|²/4κt − u_ε", at.reading]);
  if (network) rows.push(["reading", "P_ε − Q_ε", at.reading]);
  if (!layer) rows.push(["bound", "bound on |f_ε − f₀|", curves.bound]);
  if (data.rest && data.rest.gap !== null) rows.push(["rest", "neurons left out add at most", leftOutBound(data.rest, state.eps)]);
  showValues(byId("curves-values"), rows);
  const name = layer ? "log-sum-exp layer" : "network";
  byId("curves").setAttribute("aria-label", `The ${name} and its tropical limit along ${view.axes[0]}: at ${readable(state.point[0], 4)} they are ${readable(at.value)} and ${readable(at.hard)}.`);
}

// ε log(1 + count·e^{−Δ/ε}), which neurons add that are at least Δ below the largest.
function leftOutBound({ count, gap }, eps) {
  return eps === 0 ? Math.max(0, -gap) : logSumExp([0, eps * Math.log(count) - gap], eps);
}

function showParts(curves, at) {
  if (table) return;
  const x = { low: view.low[0], high: view.high[0], name: view.axes[0] };
  const [first, second] = layer ? [curves.u, curves.u0] : [curves.P, curves.Q];
  const chart = new Chart(byId("parts"), x, { ...rangeOf(first, second), name: layer ? "u" : "P, Q" }, 240);
  chart.line(curves.s, second, layer ? "tropical" : "denominator");
  chart.line(curves.s, first, layer ? "network" : "numerator");
  if (layer && view.variables === 1) {
    layer.atoms[0].forEach((y, j) => {
      if (layer.count <= 200 && y >= view.low[0] && y <= view.high[0]) chart.dot(y, layer.initial[j], "atom");
    });
  }
  chart.vertical(state.point[0], "here");
  chart.show();
  const rows = layer ? [["u", "u_ε at the point", at.u], ["u0", "u₀ by Hopf–Lax", at.u0]] : [["P", "P_ε at the point", at.P], ["Q", "Q_ε at the point", at.Q]];
  showValues(byId("parts-values"), rows);
  byId("parts").setAttribute("aria-label", rows.map(([, name, value]) => `${name}: ${readable(value)}`).join("; "));
}

function showLayerAttribution() {
  const { eps } = state, z = layer.terms(state.point);
  const weights = gibbsWeights(z, eps), losses = leaveOneOut(z, weights, eps);
  const order = Array.from(weights.keys()).sort((i, j) => weights[j] - weights[i] || z[j] - z[i]).slice(0, 8);
  const rows = order.map((j) => [
    layer.names[j],
    { node: bar(weights[j]) },
    { value: weights[j], key: `weight-${j}` },
    { value: losses[j], key: `loss-${j}` },
  ]);
  const heads = [["neuron", "name"], ["", "bar"], ["weight π", "number"], ["f falls without it by", "number"]];
  showTable(byId("attribution"), `The ${order.length} heaviest of ${layer.count.toLocaleString("en")} neurons`, heads, rows);
  const entropy = layer.entropy(state.point, eps);
  showValues(byId("attribution-values"), [["H", "entropy H(π), nats", entropy], ["effective", "as many equal neurons", Math.exp(entropy)]]);
  if (!layer.labels) return;
  const masses = new Map();
  layer.labels.forEach((c, j) => masses.set(c, (masses.get(c) ?? 0) + weights[j]));
  const classes = [...masses].sort((a, b) => b[1] - a[1]).slice(0, 5);
  byId("classes").hidden = false;
  showTable(byId("classes"), "Classes, the weights of their neurons together", [["class", "name"], ["", "bar"], ["weight", "number"]],
    classes.map(([c, mass]) => [String(c), { node: bar(mass) }, { value: mass, key: `class-${c}` }]));
}

function showNetworkAttribution() {
  const found = network.contributions(state.point, state.output, state.eps);
  byId("attribution-panel").hidden = found === null;
  if (found === null) return;
  const order = found.slice().sort((a, b) => Math.abs(b.part) - Math.abs(a.part)).slice(0, 8);
  const most = Math.max(...order.map(({ part }) => Math.abs(part)), Number.MIN_VALUE);
  const rows = order.map(({ unit, value, part, gate }) => [
    `unit ${unit}`,
    { node: bar(part / most, true) },
    { value: part, key: `part-${unit}` },
    { value, key: `unit-${unit}` },
    gate === null ? "" : { value: gate, key: `gate-${unit}`, text: readable(gate, 4) },
  ]);
  const heads = [["last hidden unit", "name"], ["", "bar"], ["f falls without it by", "number"], ["its value", "number"], ["weight of “on”", "number"]];
  showTable(byId("attribution"), `The ${order.length} largest of ${found.length.toLocaleString("en")} contributions to output ${state.output}`, heads, rows);
}

function showEntropy(points, found) {
  const entropy = points.map((p) => layer.entropy(p, state.eps));
  const here = layer.entropy(state.point, state.eps);
  state.entropyChart = drawEntropy({ s: points.map((p) => p[0]), entropy }, found, view, state.point, here).show();
  const maxima = found.filter(({ kind }) => kind === "maximum").length;
  showValues(byId("entropy-values"), [["entropy", "H at the point, nats", here], ["maxima", "maxima in the window", maxima], ["minima", "minima in the window", found.length - maxima]]);
  byId("entropy").setAttribute("aria-label", `Entropy of the Gibbs weights along ${view.axes[0]}, with ${maxima} maxima and ${found.length - maxima} minima.`);
  showTable(byId("critical"), "", [["place", "number"], ["kind", "name"], ["H (nats)", "number"]],
    found.map(({ s, kind, entropy: h }, k) => [{ value: s, key: `critical-${k}`, text: readable(s, 9) }, kind, { value: h, key: `critical-entropy-${k}` }]));
}

function showDiagram(found) {
  const atHome = view.variables === 1 || data.bifurcation.at[0] === state.point[1];
  drawDiagram(data.bifurcation, view, state.eps, atHome ? found : []);
  const count = data.bifurcation.events.length;
  byId("diagram").setAttribute("aria-label", `Critical points of the entropy against ε, with ${count} bifurcations, listed below.`);
}

function showConjugates() {
  const { line } = state.line, { eps } = state;
  const low = Math.min(...line.slopes), high = Math.max(...line.slopes);
  byId("conjugate-panel").hidden = !(low < high) || layer.count > 2000;
  if (byId("conjugate-panel").hidden) return;
  const slope = line.derivative(state.point[0], eps);
  drawConjugates(line.conjugateCurve(eps, view.low[0], view.high[0]), line.hull, slope);
  const rows = [["slope", "p = f_ε′(s) at the point", slope], ["soft-conjugate", "f_ε*(p)", line.conjugate(slope, eps)], ["hard-conjugate", "f₀*(p)", line.conjugate(slope, 0)]];
  showValues(byId("conjugate-values"), rows);
  byId("conjugate").setAttribute("aria-label", rows.map(([, name, value]) => `${name}: ${readable(value)}`).join("; "));
}

function showSquare(curves, points) {
  const arrows = layer ? layerArrows(layer, state.line.line, points, curves, state.eps) : networkArrows(network, state.output, curves, points, state.eps);
  byId("square").hidden = arrows.length < 3; // two arrows make no square
  if (arrows.length >= 3) drawSquare(byId("square"), layer ? LAYER_CORNERS : cornersOf(arrows), arrows);
  showTable(byId("arrows"), `Largest errors over ${points.length} points of the line`, [["arrow", "name"], ["claim", ""], ["error", "number"], ["allowed", "number"], ["", ""]],
    arrows.map(({ source, target, claim, error, bound }) => [
      source === target ? `${source}, its equation` : `${source} → ${target}`, claim,
      { value: error, key: `arrow-${source}-${target}`, text: readable(error, 4) },
      { value: bound, key: `bound-${source}-${target}`, text: readable(bound, 3) },
      { node: element("span", { class: error <= bound ? "good" : "bad" }, error <= bound ? "✓ holds" : "✗ fails") },
    ]));
}

function cornersOf(arrows) {
  const used = new Set(arrows.flatMap(({ source, target }) => [source, target]));
  return Object.fromEntries(Object.entries(NETWORK_CORNERS).filter(([name]) => used.has(name)));
}

function showMap() {
  const field = state.field === "regions" ? null : fieldOf(state.field);
  const shown = state.field === "entropy" && data.planar && data.planar.eps === state.eps ? data.planar.points : [];
  plane.draw({
    field,
    cells: data.regions ? data.regions.cells : [],
    labelled: field === null,
    point: state.point,
    home: data.bifurcation ? data.bifurcation.at[0] : null,
    marks: view.marks,
    critical: shown,
  });
  showPlanar(shown);
  byId("map-scale").hidden = field === null;
  if (field !== null) {
    byId("map-low").textContent = readable(field.low, 3);
    byId("map-high").textContent = readable(field.high, 3);
  }
  const cells = data.regions ? data.regions.cells.length : 0;
  byId("map").setAttribute("aria-label", `The plane ${view.axes.join(", ")} with ${cells} linear regions; the point is at ${state.point.map((v) => readable(v, 4)).join(", ")}.`);
}

// What marks the critical points of the plane, which are known at one temperature.
function showPlanar(shown) {
  const host = byId("planar");
  host.hidden = state.field !== "entropy" || !data.planar;
  if (host.hidden) return;
  if (shown.length === 0) {
    host.replaceChildren(element("li", {}, `Critical points of the plane are shown at ε = ${readable(data.planar.eps, 4)}.`));
    return;
  }
  const shapes = { maximum: "up", saddle: "diamond", minimum: "down", degenerate: "diamond" };
  const counts = Object.keys(shapes).map((kind) => [kind, shown.filter((p) => p.kind === kind).length]);
  showLegend(host, counts.filter(([, n]) => n > 0).map(([kind, n]) => [kind, `${n} ${n === 1 ? kind : PLURALS[kind]}`, shapes[kind]]));
}

// f_ε or the entropy on a grid of the plane, as fine as its cost allows.
function fieldOf(kind) {
  const cost = layer ? 4 * layer.count : data.network.nodes.reduce((sum, node) => sum + (node.matrices ?? []).reduce((n, m) => n + m.data.length, 0), 1);
  const size = Math.max(24, Math.min(96, Math.floor(Math.sqrt(8e6 / cost))));
  const points = [];
  for (const b of linspace(view.low[1], view.high[1], size)) {
    for (const a of linspace(view.low[0], view.high[0], size)) points.push([a, b]);
  }
  let values;
  if (layer) values = points.map((p) => (kind === "entropy" ? layer.entropy(p, state.eps) : layer.value(p, state.eps)));
  else values = column(network.values(Float64Array.from(points.flat()), points.length, state.eps), points.length, state.output);
  let low = Infinity, high = -Infinity;
  for (const v of values) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  return { values, columns: size, rows: size, low, high };
}

// Panels below each other without gaps, in as many columns as the style has: each spans rows of a fine grid.
function pack() {
  const rows = parseFloat(getComputedStyle(byId("panels")).gridAutoRows);
  for (const panel of byId("panels").children) {
    if (!panel.hidden) panel.style.gridRowEnd = `span ${Math.ceil((panel.offsetHeight + PANEL_GAP) / rows)}`;
  }
}

let announcement = 0;

// One sentence for screen readers, once the sliders rest.
function announce(at) {
  clearTimeout(announcement);
  announcement = setTimeout(() => {
    const place = state.point.map((v, k) => `${view.axes[k]} = ${readable(v, 4)}`).join(", ");
    byId("status").textContent = `ε = ${readable(state.eps, 4)}, ${place}: f is ${readable(at.value)}, its tropical limit ${readable(at.hard)}.`;
  }, 400);
}

// ---- texts and controls, once ------------------------------------------------------------------------

function describe() {
  byId("about").textContent = data.about;
  byId("looked-at").textContent = `Looked at: ${view.text}.`;
  const line = view.variables === 2 ? `along ${view.axes[0]} through the point` : `along ${view.axes[0]}`;
  if (layer) {
    setText("curves-text", `f_ε = ε log Σ exp((W·s + b)/ε) ${line}, the maximum f₀ that it becomes as ε → 0, and the layer read back from a solution of u_t + κ|∇u|² = νΔu − εd/2t: the three agree to rounding.`);
    showLegend(byId("curves-legend"), [["network", "f_ε, the layer"], ["tropical", "f₀, tropical"], ["reading", "|s|²/4κt − u_ε, Hopf–Cole"]]);
    setText("parts-title", "The same layer as a solution");
    setText("parts-text", `u_ε(s, t) at t = ${readable(layer.time)}: a soft minimum of parabolas around the atoms y_j = 2κtW_j, which start from g_j; u₀ is its Hopf–Lax limit.${view.variables === 1 ? " Dots are the data (y_j, g_j)." : ""}`);
    const entries = [["network", "u_ε, viscous"], ["tropical", "u₀, inviscid"]];
    if (view.variables === 1 && layer.count <= 200) entries.push(["atom", "initial data (y, g)", "circle"]);
    showLegend(byId("parts-legend"), entries);
    setText("attribution-text", "Gibbs weights π_j = ∂f/∂b_j, and by how much f falls without the neuron, exactly −ε log(1 − π_j): a derivative and a difference, which are not the same number.");
    byId("entropy-panel").hidden = false;
    setText("entropy-text", `H(π) ${line}: low where one neuron answers alone, high where several share. At ε = 0 one always does.`);
    showLegend(byId("entropy-legend"), [["maximum", "maximum", "up"], ["minimum", "minimum", "down"], ["event", "the point", "circle"]]);
    setText("conjugate-text", `The conjugates of the function ${line}: f₀* is the lower hull of the points (W_j, −b_j), and f_ε* lies below it by at most ε log N.`);
    showLegend(byId("conjugate-legend"), [["network", "f_ε*, entropic"], ["tropical", "f₀*, polyhedral"]]);
    setText("square-text", "Network, tropical polynomial, viscous and inviscid Hamilton–Jacobi solutions and conjugates. Each corner is computed by its own formula, and every arrow is an identity or a limit with a proved bound.");
    byId("field-entropy").hidden = false;
  } else {
    setText("curves-text", `The network ${line} with every maximum softened at ε, the piecewise-linear network f₀ itself, and the proved bound on what lies between.`);
    const entries = [["network", "f_ε"], ["tropical", "f₀"], ["bound", "bound", "band"]];
    if (network) entries.splice(2, 0, ["reading", "P_ε − Q_ε"]);
    showLegend(byId("curves-legend"), entries);
    setText("parts-title", "P and Q, whose difference is the network");
    setText("parts-text", "A piecewise-linear network is a tropical rational function P ⊘ Q: the difference of two convex functions, each a maximum of affine ones at ε = 0.");
    showLegend(byId("parts-legend"), [["numerator", "P_ε"], ["denominator", "Q_ε"]]);
    setText("attribution-text", "What each unit in front of the last layer adds to the output at this ε, which is what the output loses without it; and the Gibbs weight of “on” in its soft ReLU, 0 or 1 at ε = 0.");
    setText("square-text", "The network beside its rails P and Q, its limit beside the maxima of their essential monomials, and beside a pair of Hamilton–Jacobi solutions: f₀ = u_Q − u_P. Depth needs two equations, not one.");
    byId("parts-panel").hidden = byId("attribution-panel").hidden = byId("square-panel").hidden = table !== null;
  }
  describeSlice();
  if (table) setText("how", "Values were computed by the library, at the points and temperatures of a table in this file; the page asks nothing of the network.");
  byId("left-out-box").hidden = data.leftOut.length === 0;
  byId("left-out").replaceChildren(...data.leftOut.map((text) => element("li", {}, ...rich(text))));
  if (data.layers) {
    byId("layers-box").hidden = false;
    byId("layers").textContent = data.layers;
  }
}

function describeSlice() {
  if (plane) {
    byId("map-panel").hidden = false;
    const cells = data.regions ? data.regions.cells.length : 0;
    const what = layer ? "on each one neuron is the largest" : "on each the network is affine";
    setText("map-text", `${cells.toLocaleString("en")} linear regions at ε = 0: ${what}. Click, drag or use the sliders to move the point; curves run along the dashed line.${layer ? " Regions carry the number of the neuron, or its class." : ""}`);
    const context = byId("map-colours").getContext("2d");
    for (let k = 0; k < 128; k++) {
      context.fillStyle = `rgb(${colourAt(k / 127).join(" ")})`;
      context.fillRect(k, 0, 1, 1);
    }
  }
  const diagram = data.bifurcation;
  if (!diagram) return;
  byId("diagram-panel").hidden = false;
  const where = view.variables === 2 ? ` on the line ${view.axes[1]} = ${readable(diagram.at[0], 4)}` : "";
  const trust = diagram.confirmed ? "The degree of ∇H confirms their number." : "Their number is not confirmed.";
  setText("diagram-text", `Critical points of the entropy in the window against ε${where}, as solved by hjsym.bifurcation. ${trust}`);
  showLegend(byId("diagram-legend"), [["maximum", "maxima"], ["minimum", "minima"], ["event", "fold or pitchfork", "circle"], ["now", "present ε", "rule"]]);
  byId("events-summary").textContent = diagram.events.length === 1 ? "1 bifurcation" : `${diagram.events.length} bifurcations`;
  byId("events-box").hidden = diagram.events.length === 0;
  showTable(byId("events"), "", [["kind", "name"], ["ε", "number"], ["place", "number"], ["H_sss", "number"], ["H_sε", "number"]],
    diagram.events.map(({ kind, eps, x, third, mixed }, k) => [kind, { value: eps, key: `event-${k}`, text: readable(eps, 12) }, { value: x, key: `event-x-${k}`, text: readable(x, 9) }, { value: third, key: `event-third-${k}` }, { value: mixed, key: `event-mixed-${k}` }]));
}

function setText(id, text) {
  byId(id).replaceChildren(...rich(text));
}

function showTicks() {
  const host = byId("eps-ticks");
  const steps = Number(byId("eps").max);
  const ticks = [[0, "0"], ...decadeTicks(data.eps.low, data.eps.high).map((eps) => [positionOf(eps), powerOfTen(eps)])];
  host.replaceChildren(...ticks.filter(([position], k) => k !== 1 || position > 0.03 * steps).map(([position, text]) => {
    const span = element("span", {}, text);
    span.style.left = `${(100 * position) / steps}%`;
    return span;
  }));
}

function followPointer(host, move) {
  let held = false;
  host.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held = true;
    if (event.pointerType === "mouse") event.preventDefault();
    move(event);
  });
  host.addEventListener("pointermove", (event) => held && move(event));
  for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, () => (held = false));
}

function connect() {
  const slider = byId("eps");
  slider.max = String(table ? table.eps.length - 1 : STEPS);
  slider.addEventListener("input", () => setEps(epsOf(Number(slider.value)), true));
  const exact = byId("eps-exact");
  exact.addEventListener("change", () => {
    const eps = Number(exact.value.replace(",", "."));
    if (exact.value.trim() !== "" && eps >= 0 && Number.isFinite(eps)) setEps(eps);
    else exact.setAttribute("aria-invalid", "true");
  });
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("tropical").addEventListener("click", () => setEps(0));
  if (data.eps.own === null) byId("own").remove();
  else {
    byId("own").hidden = false;
    byId("own").textContent = `ε = ${readable(data.eps.own, 4)}`;
    byId("own").title = "the temperature of the layer";
    byId("own").addEventListener("click", () => setEps(data.eps.own));
  }
  for (let k = 0; k < view.variables; k++) {
    const point = byId(`point-${k}`);
    byId(`point-${k}-label`).textContent = `Point ${view.axes[k]}`;
    point.addEventListener("input", () => setPoint(k, view.low[k] + ((view.high[k] - view.low[k]) * Number(point.value)) / STEPS));
  }
  byId("second-coordinate").hidden = view.variables === 1;
  const outputs = network ? network.outputs : table ? table.outputs : 1;
  byId("output-control").hidden = outputs === 1;
  byId("output").replaceChildren(...Array.from({ length: outputs }, (_, k) => element("option", { value: String(k) }, String(k))));
  byId("output").addEventListener("change", (event) => {
    state.output = Number(event.target.value);
    schedule();
  });
  for (const radio of document.getElementsByName("field")) {
    radio.addEventListener("change", () => {
      state.field = radio.value;
      schedule();
    });
  }
  followPointer(byId("curves"), (event) => setPoint(0, state.chart.valueAt(event)[0]));
  followPointer(byId("entropy"), (event) => setPoint(0, state.entropyChart.valueAt(event)[0]));
  if (plane) followPointer(byId("map"), (event) => plane.chart.valueAt(event).forEach((v, k) => setPoint(k, v)));
  new ResizeObserver(schedule).observe(byId("panels"));
}

describe();
connect();
showTicks();
state.point.forEach((value, k) => setPoint(k, value));
setEps(data.eps.own ?? data.eps.low * (data.eps.high / data.eps.low) ** 0.75);
