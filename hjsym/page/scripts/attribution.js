"use strict";
// The panel of what decides at the point: Gibbs weights of neurons, or what hidden units contribute.

const SHOWN = 8;

function showNeurons() {
  const { eps } = state, z = layer.terms(state.point);
  const weights = gibbsWeights(z, eps), losses = leaveOneOut(z, weights, eps);
  const order = Array.from(weights.keys());
  order.sort((i, j) => weights[j] - weights[i] || z[j] - z[i]);
  const heads = [["neuron", "name"], ["", "bar"], ["weight π", "number"], ["f falls without it by", "number"]];
  const rows = order.slice(0, SHOWN).map((j) => [
    layer.names[j], bar(weights[j]), cell(`weight-${j}`, weights[j]), cell(`loss-${j}`, losses[j]),
  ]);
  const caption = `The ${rows.length} heaviest of ${layer.count.toLocaleString("en")} neurons`;
  showTable(byId("attribution"), caption, heads, rows);
  const entropy = layer.entropy(state.point, eps);
  const effective = ["effective", "as many equal neurons", Math.exp(entropy)];
  showValues(byId("attribution-values"), [["H", "entropy H(π), nats", entropy], effective]);
  if (layer.labels) showClasses(weights);
}

function showClasses(weights) {
  const masses = new Map();
  layer.labels.forEach((c, j) => masses.set(c, (masses.get(c) ?? 0) + weights[j]));
  const heaviest = [...masses].sort((a, b) => b[1] - a[1]).slice(0, 5);
  const heads = [["class", "name"], ["", "bar"], ["weight", "number"]];
  const rows = heaviest.map(([c, mass]) => [String(c), bar(mass), cell(`class-${c}`, mass)]);
  byId("classes").hidden = false;
  showTable(byId("classes"), "Classes, the weights of their neurons together", heads, rows);
}

// Nothing where the last layer is not affine.
function showUnits() {
  const found = network.contributions(state.point, state.output, state.eps);
  byId("attribution-panel").hidden = found === null;
  if (found === null) return;
  found.sort((a, b) => Math.abs(b.part) - Math.abs(a.part));
  const greatest = Math.max(Math.abs(found[0].part), Number.MIN_VALUE);
  const heads = [
    ["last hidden unit", "name"], ["", "bar"], ["f falls without it by", "number"],
    ["its value", "number"], ["weight of “on”", "number"],
  ];
  const rows = found.slice(0, SHOWN).map(({ unit, value, part, gate }) => [
    `unit ${unit}`,
    bar(part / greatest, true),
    cell(`part-${unit}`, part),
    cell(`unit-${unit}`, value),
    gate === null ? "" : cell(`gate-${unit}`, gate, 4),
  ]);
  const count = found.length.toLocaleString("en");
  const caption = `The ${rows.length} largest of ${count} contributions to output ${state.output}`;
  showTable(byId("attribution"), caption, heads, rows);
}
