"use strict";
// Critical points of the entropy of Gibbs weights on an interval of a line.

// Each with its place, its kind and the entropy there. Zeros of the natural gradient: from a grid with the places near
// ties, where it turns in the cold, and pairs that a fold has just made from where |n| is least between grid points.
function criticalPoints(line, eps, low, high, count) {
  if (eps === 0) return [];
  const f = (s) => line.naturalGradient(s, eps);
  const grid = linspace(low, high, count);
  const nodes = [];
  const values = Array.from(grid, f);
  for (let k = 0; k < grid.length; k++) {
    nodes.push([grid[k], values[k]]);
    const inner = k > 0 && k < grid.length - 1;
    const dip = inner && Math.abs(values[k]) <= Math.abs(values[k - 1]) && Math.abs(values[k]) <= Math.abs(values[k + 1]);
    if (dip && values[k] * values[k - 1] > 0 && values[k] * values[k + 1] > 0) {
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
