"use strict";
// A log-sum-exp layer on the slice, f(s) = ε log Σ_j e^{(W_j·s + b_j)/ε}: its kernel gauge, its conjugate on a line.

class Layer {
  // slopes: one array a coordinate; kappa and time belong to the gauge u_t + κ|∇u|² = κεΔu − εd/2t.
  constructor({ slopes, offsets, names, labels, kappa, time }) {
    this.slopes = slopes.map((column) => Float64Array.from(column));
    this.offsets = Float64Array.from(offsets);
    this.names = names;
    this.labels = labels;
    this.kappa = kappa;
    this.time = time;
    this.count = offsets.length;
    this.variables = slopes.length;
    // y_j = 2κt W_j, g_j = −b_j − κt|W_j|²
    this.atoms = this.slopes.map((column) => column.map((w) => 2 * kappa * time * w));
    const square = (j) => this.slopes.reduce((sum, column) => sum + column[j] * column[j], 0);
    this.initial = this.offsets.map((b, j) => -b - kappa * time * square(j));
  }

  // W_j·s + b_j
  terms(point) {
    const z = this.offsets.slice();
    this.slopes.forEach((column, k) => {
      for (let j = 0; j < z.length; j++) z[j] += column[j] * point[k];
    });
    return z;
  }

  value(point, eps) {
    return logSumExp(this.terms(point), eps);
  }

  entropy(point, eps) {
    return entropyOf(this.terms(point), eps);
  }

  // g_j + |s − y_j|²/4κt: the costs of Hopf–Lax, from the atoms alone.
  costs(point) {
    const costs = this.initial.slice();
    const scale = 4 * this.kappa * this.time;
    this.atoms.forEach((column, k) => {
      for (let j = 0; j < costs.length; j++) {
        const away = point[k] - column[j];
        costs[j] += (away * away) / scale;
      }
    });
    return costs;
  }

  // u_ε(s, t) = −ε log Σ e^{−cost/ε}; at ε = 0 Hopf–Lax.
  solution(point, eps) {
    return -logSumExp(this.costs(point).map((c) => -c), eps);
  }

  // |s|²/4κt
  action(point) {
    return point.reduce((sum, s) => sum + s * s, 0) / (4 * this.kappa * this.time);
  }

  // u_t + κ|∇u|² − κεΔu + εd/2t by moments of the Gibbs weights, relative to the largest of its terms.
  residual(point, eps) {
    const { kappa, time, variables } = this;
    const weights = gibbsWeights(this.terms(point), eps);
    let squares = 0, spread = 0, gradient = 0;
    this.atoms.forEach((column, k) => {
      let mean = 0;
      for (let j = 0; j < column.length; j++) mean += weights[j] * (point[k] - column[j]);
      for (let j = 0; j < column.length; j++) {
        const away = point[k] - column[j];
        squares += weights[j] * away * away;
        spread += weights[j] * (away - mean) * (away - mean);
      }
      gradient += (mean / (2 * kappa * time)) ** 2;
    });
    const defect = (eps * variables) / (2 * time);
    const change = -squares / (4 * kappa * time * time);
    const transport = kappa * gradient;
    // κεΔu: the spread is divided by ε in Δu, so that the product stays finite at ε = 0
    const diffusion = kappa * eps * (variables / (2 * kappa * time)) - spread / (4 * kappa * time * time) - defect;
    const scale = Math.max(Math.abs(change), transport, Math.abs(diffusion), defect, Number.MIN_VALUE);
    return (change + transport - diffusion) / scale;
  }
}

// The layer along the first coordinate, the others held: z_j(s) = w_j s + c_j.
class Line {
  constructor(layer, rest) {
    this.slopes = layer.slopes[0];
    this.offsets = layer.terms([0, ...rest]);
  }

  terms(s) {
    return this.offsets.map((c, j) => c + this.slopes[j] * s);
  }

  // f'(s), the mean slope.
  derivative(s, eps) {
    const weights = gibbsWeights(this.terms(s), eps);
    return weights.reduce((sum, p, j) => sum + p * this.slopes[j], 0);
  }

  naturalGradient(s, eps) {
    return naturalGradient(this.slopes, this.terms(s), eps);
  }

  // f_ε*(p), the least ε Σ λ log λ − λ·c over weights λ of mean slope p: Gibbs weights, where f_ε′ = p; at an end of
  // the slopes those of the terms with that slope.
  conjugate(p, eps) {
    const low = Math.min(...this.slopes), high = Math.max(...this.slopes);
    if (!(p > low && p < high)) {
      const end = p <= low ? low : high;
      return -logSumExp(this.offsets.filter((_, j) => this.slopes[j] === end), eps);
    }
    if (eps === 0) return this.hardConjugate(p);
    let reach = 1;
    while (reach < 1e12 && this.derivative(-reach, eps) > p) reach *= 4;
    while (reach < 1e12 && this.derivative(reach, eps) < p) reach *= 4;
    const s = bisect((x) => this.derivative(x, eps) - p, -reach, reach);
    return this.negativeEntropy(gibbsWeights(this.terms(s), eps), eps);
  }

  // ε Σ λ log λ − λ·c, whose minimum over weights λ of mean slope p is f_ε*(p).
  negativeEntropy(weights, eps) {
    return weights.reduce((sum, p, j) => (p > 0 ? sum + eps * p * Math.log(p) - p * this.offsets[j] : sum), 0);
  }

  // f_ε* as a curve (p, value), by the slope p = f_ε′(s) at points s that go out to where it is nearly an end.
  conjugateCurve(eps, low, high) {
    if (eps === 0) return { slopes: this.hull.map(([p]) => p), values: this.hull.map(([, v]) => v) };
    const ends = [this.hull[0][0], this.hull.at(-1)[0]], near = 1e-3 * (ends[1] - ends[0]);
    let reach = high - low;
    const middle = (low + high) / 2;
    while (reach < 1e12 && this.derivative(middle - reach, eps) > ends[0] + near) reach *= 2;
    while (reach < 1e12 && this.derivative(middle + reach, eps) < ends[1] - near) reach *= 2;
    const slopes = [ends[0]], values = [this.conjugate(ends[0], eps)];
    for (const s of linspace(middle - reach, middle + reach, 241)) {
      const weights = gibbsWeights(this.terms(s), eps);
      slopes.push(weights.reduce((sum, p, j) => sum + p * this.slopes[j], 0));
      values.push(this.negativeEntropy(weights, eps));
    }
    return { slopes: [...slopes, ends[1]], values: [...values, this.conjugate(ends[1], eps)] };
  }

  // f_0*: the lower convex hull of the points (w_j, −c_j), by a monotone chain.
  get hull() {
    if (this.chain) return this.chain;
    const order = Array.from(this.slopes.keys());
    order.sort((i, j) => this.slopes[i] - this.slopes[j] || this.offsets[j] - this.offsets[i]);
    const chain = [];
    for (const j of order) {
      const [x, y] = [this.slopes[j], -this.offsets[j]];
      if (chain.length && chain.at(-1)[0] === x) continue;
      while (chain.length > 1) {
        const [ax, ay] = chain.at(-2), [bx, by] = chain.at(-1);
        if ((by - ay) * (x - bx) < (y - by) * (bx - ax)) break;
        chain.pop();
      }
      chain.push([x, y]);
    }
    this.chain = chain;
    return chain;
  }

  hardConjugate(p) {
    const chain = this.hull;
    let k = 0;
    while (k < chain.length - 2 && chain[k + 1][0] < p) k++;
    if (chain.length === 1) return chain[0][1];
    const [ax, ay] = chain[k], [bx, by] = chain[k + 1];
    const share = (p - ax) / (bx - ax);
    return ay * (1 - share) + by * share;
  }
}
