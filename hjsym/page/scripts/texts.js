"use strict";
// What the page says about itself, once.

function describe() {
  setText("about", data.about);
  byId("looked-at").textContent = `Looked at: ${view.text}.`;
  const line = view.variables === 2 ? `along ${view.axes[0]} through the point` : `along ${view.axes[0]}`;
  if (layer) describeLayer(line);
  else describeNetwork(line);
  if (plane) describePlane();
  if (data.bifurcation) describeDiagram(data.bifurcation);
  byId("left-out-box").hidden = data.leftOut.length === 0;
  byId("left-out").replaceChildren(...data.leftOut.map((text) => element("li", {}, ...rich(text))));
  byId("layers-box").hidden = !data.layers;
  byId("layers").textContent = data.layers ?? "";
}

function describeLayer(line) {
  setText("curves-text", `f_ε = ε log Σ exp((W·s + b)/ε) ${line}, the maximum f₀ that it becomes as ε → 0, and the
    layer read back from a solution of u_t + κ|∇u|² = νΔu − εd/2t: the first and the last agree to rounding.`);
  showLegend(byId("curves-legend"), [
    ["network", "f_ε, the layer"], ["tropical", "f₀, tropical"], ["reading", "|s|²/4κt − u_ε, Hopf–Cole"],
  ]);
  const dots = hasDataToShow();
  setText("parts-title", "The same layer as a solution");
  setText("parts-text", `u_ε(s, t) at t = ${readable(layer.time)}: a soft minimum of parabolas around the atoms
    y_j = 2κtW_j, which start from g_j; u₀ is its Hopf–Lax limit.${dots ? " Dots are the data (y_j, g_j)." : ""}`);
  const initial = dots ? [["atom", "initial data (y, g)", "circle"]] : [];
  showLegend(byId("parts-legend"), [["network", "u_ε, viscous"], ["tropical", "u₀, inviscid"], ...initial]);
  setText("attribution-text", `Gibbs weights π_j = ∂f/∂b_j, and by how much f falls without the neuron, exactly
    −ε log(1 − π_j): a derivative and a difference, which are not the same number.`);
  byId("entropy-panel").hidden = false;
  setText("entropy-text", `H(π) ${line}: low where one neuron answers alone, high where several share. At ε = 0 one
    always does.`);
  showLegend(byId("entropy-legend"), [
    ["maximum", "maximum", "up"], ["minimum", "minimum", "down"], ["event", "the point", "circle"],
  ]);
  setText("conjugate-text", `The conjugates of the function ${line}: f₀* is the lower hull of the points (W_j, −b_j),
    and f_ε* lies below it by at most ε log N.`);
  showLegend(byId("conjugate-legend"), [["network", "f_ε*, entropic"], ["tropical", "f₀*, polyhedral"]]);
  setText("square-text", `Network, tropical polynomial, viscous and inviscid Hamilton–Jacobi solutions, and conjugates.
    Each corner is computed by its own formula; every arrow is an identity or a limit with a proved bound.`);
  byId("field-entropy").hidden = false;
}

function describeNetwork(line) {
  setText("curves-text", `The network ${line} with every maximum softened at ε, the piecewise-linear network f₀ itself,
    and the proved bound on what lies between.`);
  const rails = network ? [["reading", "P_ε − Q_ε"]] : [];
  showLegend(byId("curves-legend"), [["network", "f_ε"], ["tropical", "f₀"], ...rails, ["bound", "bound", "band"]]);
  setText("parts-title", "P and Q, whose difference is the network");
  setText("parts-text", `A piecewise-linear network is a tropical rational function P ⊘ Q: the difference of two convex
    functions, each a maximum of affine ones at ε = 0.`);
  showLegend(byId("parts-legend"), [["numerator", "P_ε"], ["denominator", "Q_ε"]]);
  setText("attribution-text", `What each unit in front of the last layer adds to the output at this ε, which is what the
    output loses without it; and the Gibbs weight of “on” in its soft ReLU, 0 or 1 at ε = 0.`);
  setText("square-text", `The network beside its rails P and Q; its limit beside the maxima of their essential monomials,
    and beside a pair of Hamilton–Jacobi solutions, f₀ = u_Q − u_P: depth needs two equations, not one.`);
  for (const name of ["parts", "attribution", "square"]) byId(`${name}-panel`).hidden = table !== null;
  if (table) {
    setText("how", `Values were computed by the library, at the points and temperatures of a table in this file; the
      page asks nothing of the network.`);
  }
}

function describePlane() {
  byId("map-panel").hidden = false;
  const count = (data.regions ? data.regions.cells.length : 0).toLocaleString("en");
  const what = layer ? "on each one neuron is the largest" : "on each the network is affine";
  const names = layer ? " Regions carry the number of the neuron, or its class." : "";
  setText("map-text", `${count} linear regions at ε = 0: ${what}. Click, drag or use the sliders to move the point;
    curves run along the dashed line.${names}`);
  const context = byId("map-colours").getContext("2d");
  for (let k = 0; k < 128; k++) {
    context.fillStyle = `rgb(${colourAt(k / 127).join(" ")})`;
    context.fillRect(k, 0, 1, 1);
  }
}

function describeDiagram({ at, confirmed, events }) {
  byId("diagram-panel").hidden = false;
  const where = at.length ? ` on the line ${view.axes[1]} = ${readable(at[0], 4)}` : "";
  const trust = confirmed ? "The degree of ∇H confirms their number." : "Their number is not confirmed.";
  setText("diagram-text", `Critical points of the entropy in the window against ε${where}, as solved by
    hjsym.bifurcation. ${trust}`);
  showLegend(byId("diagram-legend"), [
    ["maximum", "maxima"], ["minimum", "minima"], ["event", "fold or pitchfork", "circle"],
    ["now", "present ε", "rule"],
  ]);
  byId("events-box").hidden = events.length === 0;
  setText("events-summary", events.length === 1 ? "1 bifurcation" : `${events.length} bifurcations`);
  const heads = [["kind", "name"], ["ε", "number"], ["place", "number"], ["H_sss", "number"], ["H_sε", "number"]];
  showTable(byId("events"), "", heads, events.map(({ kind, eps, x, third, mixed }, k) => [
    kind, cell(`event-${k}`, eps, 12), cell(`event-x-${k}`, x, 9),
    cell(`event-third-${k}`, third), cell(`event-mixed-${k}`, mixed),
  ]));
}
