"use strict";
// The panel of the plane, and that of the square.

const PLURALS = { maximum: "maxima", saddle: "saddles", minimum: "minima", degenerate: "degenerate points" };
const plane = view.variables === 2 ? new PlaneMap(byId("map"), view) : null;

function showMap() {
  const field = state.field === "regions" ? null : fieldOf(state.field);
  const known = state.field === "entropy" && data.planar && data.planar.eps === state.eps;
  const critical = known ? data.planar.points : [];
  const cells = data.regions ? data.regions.cells : [];
  const home = data.bifurcation ? data.bifurcation.at[0] : null;
  plane.draw({ field, cells, point: state.point, home, marks: view.marks, critical });
  showPlanar(critical);
  byId("map-scale").hidden = field === null;
  if (field !== null) {
    setText("map-low", readable(field.low, 3));
    setText("map-high", readable(field.high, 3));
  }
  const place = state.point.map((v) => readable(v, 4)).join(", ");
  const text = `The plane ${view.axes.join(", ")} with ${cells.length} linear regions; the point is at ${place}.`;
  byId("map").setAttribute("aria-label", text);
}

// What marks the critical points of the plane, which are known at one temperature.
function showPlanar(shown) {
  const host = byId("planar");
  host.hidden = state.field !== "entropy" || !data.planar;
  if (host.hidden) return;
  if (shown.length === 0) {
    const text = `Critical points of the plane are shown at ε = ${readable(data.planar.eps, 4)}.`;
    host.replaceChildren(element("li", {}, text));
    return;
  }
  const counts = Object.keys(PLURALS).map((kind) => [kind, shown.filter((p) => p.kind === kind).length]);
  const there = counts.filter(([, n]) => n > 0);
  showLegend(host, there.map(([kind, n]) => [kind, `${n} ${n === 1 ? kind : PLURALS[kind]}`, SHAPES[kind]]));
}

function showSquare(curves, points) {
  const arrows = layer
    ? layerArrows(layer, lineOfLayer(), points, curves, state.eps)
    : networkArrows(network, state.output, curves, points, state.eps);
  byId("square").hidden = arrows.length < 3; // two arrows make no square
  if (arrows.length >= 3) drawSquare(byId("square"), layer ? LAYER_CORNERS : NETWORK_CORNERS, arrows);
  const heads = [["arrow", "name"], ["claim", ""], ["error", "number"], ["allowed", "number"], ["", ""]];
  const rows = arrows.map(({ source, target, claim, error, bound }) => [
    source === target ? `${source}, its equation` : `${source} → ${target}`,
    claim,
    cell(`arrow-${source}-${target}`, error, 4),
    cell(`bound-${source}-${target}`, bound, 3),
    element("span", { class: error <= bound ? "good" : "bad" }, error <= bound ? "✓ holds" : "✗ fails"),
  ]);
  showTable(byId("arrows"), `Largest errors over ${points.length} points of the line`, heads, rows);
}
