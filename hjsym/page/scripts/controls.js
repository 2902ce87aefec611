"use strict";
// Sliders, fields and buttons; each change asks for one drawing.

const STEPS = 1000;

// ---- ε: 0 at the left end, then a log scale ----------------------------------------------------------

function epsOf(position) {
  if (table) return table.eps[position];
  if (position === 0) return 0;
  if (position === STEPS) return data.eps.high;
  return data.eps.low * (data.eps.high / data.eps.low) ** ((position - 1) / (STEPS - 1));
}

function positionOf(eps) {
  if (table) return nearest(table.eps, eps);
  if (eps === 0) return 0;
  const part = Math.log(eps / data.eps.low) / Math.log(data.eps.high / data.eps.low);
  return Math.round(1 + Math.min(Math.max(part, 0), 1) * (STEPS - 1));
}

function setEps(eps, fromSlider = false) {
  state.eps = table ? table.eps[nearest(table.eps, eps)] : eps;
  const slider = byId("eps"), exact = byId("eps-exact");
  if (!fromSlider) slider.value = String(positionOf(state.eps));
  const text = state.eps === 0 ? "0, tropical" : readable(state.eps, 5);
  byId("eps-value").textContent = text;
  slider.setAttribute("aria-valuetext", `ε = ${text}`);
  exact.value = String(state.eps);
  exact.removeAttribute("aria-invalid");
  schedule();
}

function readExact() {
  const exact = byId("eps-exact");
  const eps = Number(exact.value.replace(",", "."));
  if (exact.value.trim() !== "" && eps >= 0 && Number.isFinite(eps)) setEps(eps);
  else exact.setAttribute("aria-invalid", "true");
}

function showTicks() {
  const last = Number(byId("eps").max);
  const decades = decadeTicks(data.eps.low, data.eps.high).map((eps) => [positionOf(eps), powerOfTen(eps)]);
  const apart = decades.filter(([position]) => position > 0.03 * last); // from the 0
  byId("eps-ticks").replaceChildren(...[[0, "0"], ...apart].map(([position, text]) => {
    const tick = element("span", {}, text);
    tick.style.left = `${(100 * position) / last}%`;
    return tick;
  }));
}

// ---- the point -----------------------------------------------------------------------------------------

function setPoint(k, value) {
  const bounded = Math.min(Math.max(value, view.low[k]), view.high[k]);
  state.point[k] = table ? table.points[nearest(table.points, bounded)] : bounded;
  const slider = byId(`point-${k}`), text = readable(state.point[k], 4);
  const part = (state.point[k] - view.low[k]) / (view.high[k] - view.low[k]);
  slider.value = String(Math.round(STEPS * part));
  slider.setAttribute("aria-valuetext", `${view.axes[k]} = ${text}`);
  byId(`point-${k}-value`).textContent = text;
  schedule();
}

function followPointer(host, move) {
  let held = false;
  host.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held = true;
    if (event.pointerType === "mouse") event.preventDefault(); // no selection of texts
    move(event);
  });
  host.addEventListener("pointermove", (event) => held && move(event));
  for (const name of ["pointerup", "pointercancel"]) {
    window.addEventListener(name, () => {
      held = false;
    });
  }
}

// ---- all of them ---------------------------------------------------------------------------------------

function connectEps() {
  const slider = byId("eps"), own = byId("own");
  slider.max = String(table ? table.eps.length - 1 : STEPS);
  slider.addEventListener("input", () => setEps(epsOf(Number(slider.value)), true));
  byId("eps-exact").addEventListener("change", readExact);
  byId("tropical").addEventListener("click", () => setEps(0));
  if (data.eps.own === null) {
    own.remove();
    return;
  }
  own.hidden = false;
  own.textContent = `ε = ${readable(data.eps.own, 4)}`;
  own.title = "the temperature of the model";
  own.addEventListener("click", () => setEps(data.eps.own));
}

function connectPoint() {
  for (let k = 0; k < view.variables; k++) {
    const slider = byId(`point-${k}`), [low, high] = [view.low[k], view.high[k]];
    byId(`point-${k}-label`).textContent = `Point ${view.axes[k]}`;
    slider.addEventListener("input", () => setPoint(k, low + ((high - low) * Number(slider.value)) / STEPS));
  }
  byId("second-coordinate").hidden = view.variables === 1;
  followPointer(byId("curves"), (event) => setPoint(0, charts.curves.valueAt(event)[0]));
  followPointer(byId("entropy"), (event) => setPoint(0, charts.entropy.valueAt(event)[0]));
  if (plane) followPointer(byId("map"), (event) => plane.chart.valueAt(event).forEach((v, k) => setPoint(k, v)));
}

function connectChoices() {
  const count = (network ?? table ?? { outputs: 1 }).outputs;
  const options = Array.from({ length: count }, (_, k) => element("option", { value: String(k) }, String(k)));
  byId("output-control").hidden = count === 1;
  byId("output").replaceChildren(...options);
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
}

function connect() {
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  connectEps();
  connectPoint();
  connectChoices();
  new ResizeObserver(schedule).observe(byId("panels"));
}
