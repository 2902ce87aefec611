"use strict";
// Critical points of the entropy of Gibbs weights on an interval of a line.

// Each with its place s, its kind and the entropy there. They are the zeros of the natural gradient n: where it changes
// sign on a grid; and pairs that a fold has just made, where |n| has a minimum on the grid, from its least value there.
function criticalPoints(line, eps, low, high, count) {
  if (eps === 0) return [];
  const f = (s) => line.naturalGradient(s, eps);
  const grid = linspace(low, high, count);
  const nodes = [];
  const values = Array.from(grid, f);
  for (let k = 0; k < grid.length; k++) {
    nodes.push([grid[k], values[k]]);
    if (k > 0 && k < grid.length - 1 && isDip(values[k - 1], values[k], values[k + 1])) {
      const s = leastAbsolute(f, grid[k - 1], grid[k + 1]);
      nodes.push([s, f(s)]);
    }
  }
  nodes.sort((a, b) => a[0] - b[0]);
  const found = [];
  for (let k = 1; k < nodes.length; k++) {
    const [a, fa] = nodes[k - 1], [b, fb] = nodes[k];
    if (!(fa * fb < 0 || (fa === 0 && k > 1))) continue;
    const s = fa === 0 ? a : bisect(f, a, b);
    const kind = fa > 0 || (fa === 0 && fb < 0) ? "maximum" : "minimum";
    found.push({ s, kind, entropy: entropyOf(line.terms(s), eps) });
  }
  return found;
}

// Whether values of one sign come nearest to 0 in the middle.
function isDip(before, here, after) {
  const oneSign = here * before > 0 && here * after > 0;
  return oneSign && Math.abs(here) <= Math.abs(before) && Math.abs(here) <= Math.abs(after);
}
