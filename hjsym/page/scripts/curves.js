"use strict";
// The panels of curves along the line: f with its limit and its reading, and the two functions behind it.

function axisOfLine() {
  return { low: view.low[0], high: view.high[0], name: view.axes[0] };
}

function describePicture(id, rows) {
  const text = rows.map(([, name, value]) => `${name.replace("_", " ")}: ${readable(value)}`).join("; ");
  byId(id).setAttribute("aria-label", `Along ${view.axes[0]}. ${text}.`);
}

// f_ε and f₀, with the bound around f₀ as far as it does not flatten them. Returns the chart.
function showCurves(curves, at) {
  const { s, soft, hard, reading, bound } = curves;
  const range = rangeOf(soft, hard);
  const room = Math.min(bound, (range.high - range.low) / 2);
  const y = { low: range.low - room, high: range.high + room, name: "f" };
  const chart = new Chart(byId("curves"), axisOfLine(), y, 300);
  if (bound > 0) chart.band(s, hard.map((v) => v - bound), hard.map((v) => v + bound));
  if (view.variables === 1 && data.regions) chart.strip(data.regions.cells);
  chart.line(s, hard, "tropical");
  chart.line(s, soft, "network");
  if (reading) chart.line(s, reading, "reading");
  chart.vertical(state.point[0], "here");
  for (const { at: [place, rest], name } of view.marks) {
    if (rest !== state.point[1]) continue;
    chart.vertical(place, "grid");
    chart.note(chart.px(place), MARGIN.top + 10, name, 5);
  }
  chart.mark(state.point[0], at.hard, "tropical");
  chart.mark(state.point[0], at.soft, "network");
  const rows = [
    ["f", "f_ε at the point", at.soft],
    ["f0", "f₀, tropical", at.hard],
    ["excess", "f_ε − f₀", at.soft - at.hard],
  ];
  if (layer) rows.push(["reading", "|s|²/4κt − u_ε", at.reading]);
  if (network) rows.push(["reading", "P_ε − Q_ε", at.reading]);
  if (!layer) rows.push(["bound", "bound on |f_ε − f₀|", bound]);
  if (data.rest && data.rest.gap !== null) {
    rows.push(["rest", "neurons left out add at most", leftOutBound(data.rest, state.eps)]);
  }
  showValues(byId("curves-values"), rows);
  describePicture("curves", rows);
  return chart.show();
}

// u_ε and u₀ of a layer, with the initial data where they can be seen; P_ε and Q_ε of a network.
function showParts(curves, at) {
  const [first, second] = layer ? [curves.u, curves.u0] : [curves.P, curves.Q];
  const y = { ...rangeOf(first, second), name: layer ? "u" : "P, Q" };
  const chart = new Chart(byId("parts"), axisOfLine(), y, 240);
  chart.line(curves.s, second, layer ? "tropical" : "denominator");
  chart.line(curves.s, first, layer ? "network" : "numerator");
  if (hasDataToShow()) layer.atoms[0].forEach((place, j) => chart.mark(place, layer.initial[j], "atom"));
  chart.vertical(state.point[0], "here");
  chart.show();
  const rows = layer
    ? [["u", "u_ε at the point", at.u], ["u0", "u₀ by Hopf–Lax", at.u0]]
    : [["P", "P_ε at the point", at.P], ["Q", "Q_ε at the point", at.Q]];
  showValues(byId("parts-values"), rows);
  describePicture("parts", rows);
}

function hasDataToShow() {
  return layer !== null && view.variables === 1 && layer.count <= 200;
}
