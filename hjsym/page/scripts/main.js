"use strict";
// What is drawn when something moves, and the start.

const PANEL_GAP = 20;
const START = 0.75; // of the decades of the slider, where the model has no temperature of its own
const charts = { curves: null, entropy: null };
let pending = false, announcement = 0;

// All changes of one frame are drawn once.
function schedule() {
  if (!pending) requestAnimationFrame(draw);
  pending = true;
}

function draw() {
  pending = false;
  const points = pointsOfLine(), curves = valuesAt(points);
  const there = valuesAt([state.point]);
  const at = Object.fromEntries(Object.entries(there).map(([name, v]) => [name, Array.isArray(v) ? v[0] : v]));
  charts.curves = showCurves(curves, at);
  if (!table) {
    showParts(curves, at);
    showSquare(curves, points);
  }
  if (network) showUnits();
  if (layer) {
    const found = criticalOnLine();
    showNeurons();
    charts.entropy = showEntropy(points, found);
    showConjugates();
    if (data.bifurcation) showDiagram(found);
  }
  if (plane) showMap();
  pack();
  announce(at);
}

// Panels below each other without gaps, in as many columns as the style has: each spans rows of a fine grid.
function pack() {
  const rows = parseFloat(getComputedStyle(byId("panels")).gridAutoRows);
  for (const panel of byId("panels").children) {
    const span = Math.ceil((panel.offsetHeight + PANEL_GAP) / rows);
    if (!panel.hidden) panel.style.gridRowEnd = `span ${span}`;
  }
}

// One sentence for screen readers, once the sliders rest.
function announce(at) {
  clearTimeout(announcement);
  announcement = setTimeout(() => {
    const place = state.point.map((v, k) => `${view.axes[k]} = ${readable(v, 4)}`).join(", ");
    const values = `f is ${readable(at.soft)}, its tropical limit ${readable(at.hard)}`;
    byId("status").textContent = `ε = ${readable(state.eps, 4)}, ${place}: ${values}.`;
  }, 400);
}

describe();
connect();
showTicks();
data.start.forEach((value, k) => setPoint(k, value));
setEps(data.eps.own ?? data.eps.low * (data.eps.high / data.eps.low) ** START);
