"use strict";
// Log-sum-exp, Gibbs weights and what is read off them, in double precision at every ε; ε = 0 is the tropical limit.

// The index of the largest entry, the first of equal ones.
function argmax(z) {
  let top = 0;
  for (let j = 1; j < z.length; j++) if (z[j] > z[top]) top = j;
  return top;
}

// ε log Σ e^{z/ε}; the rest of the sum goes into log1p, so that nothing is lost where one term rules.
function logSumExp(z, eps) {
  const top = argmax(z);
  if (eps === 0) return z[top];
  let rest = 0;
  for (let j = 0; j < z.length; j++) if (j !== top) rest += Math.exp((z[j] - z[top]) / eps);
  return z[top] + eps * Math.log1p(rest);
}

// softmax(z/ε); at ε = 0 all weight is on the first largest term.
function gibbsWeights(z, eps) {
  const top = argmax(z);
  const weights = new Float64Array(z.length);
  let sum = 0;
  for (let j = 0; j < z.length; j++) {
    weights[j] = j === top ? 1 : eps === 0 ? 0 : Math.exp((z[j] - z[top]) / eps);
    sum += weights[j];
  }
  for (let j = 0; j < z.length; j++) weights[j] /= sum;
  return weights;
}

// H(π) = log Z + Σ π_j (max z − z_j)/ε, in nats; no digit is lost where H is small.
function entropyOf(z, eps) {
  if (eps === 0) return 0;
  const top = argmax(z);
  let rest = 0, spread = 0;
  for (let j = 0; j < z.length; j++) {
    if (j === top) continue;
    const gap = (z[top] - z[j]) / eps;
    const weight = Math.exp(-gap);
    rest += weight;
    if (weight > 0) spread += weight * gap;
  }
  return Math.log1p(rest) + spread / (1 + rest);
}

// By how much the sum falls without term j, exactly: −ε log(1 − π_j), and for the largest term the difference of sums.
function leaveOneOut(z, weights, eps) {
  const top = argmax(z);
  const losses = Float64Array.from(weights, (w) => (eps === 0 ? 0 : -eps * Math.log1p(-w)));
  if (z.length === 1) return Float64Array.of(Infinity);
  const others = Float64Array.from(z.filter((_, j) => j !== top));
  losses[top] = logSumExp(z, eps) - logSumExp(others, eps);
  return losses;
}

// −Cov(w, z)/Var(w) under π = softmax(z/ε): the natural gradient of the entropy along a line where z_j = w_j s + c_j.
//
// It has the zeros of dH/ds, and is of the size of s at every ε. Both moments are sums over the terms whose slope is
// not that of the largest, and weights there are relative to the first of these: where one term rules alone both
// would underflow, and their quotient does not. NaN where all slopes are equal.
function naturalGradient(w, z, eps) {
  const top = argmax(z);
  let second = -Infinity;
  for (let j = 0; j < z.length; j++) if (w[j] !== w[top] && z[j] > second) second = z[j];
  if (second === -Infinity) return NaN;
  let sum = 0, meanW = 0, meanZ = 0;
  for (let j = 0; j < z.length; j++) {
    const weight = Math.exp((z[j] - z[top]) / eps);
    sum += weight;
    meanW += weight * (w[j] - w[top]);
    meanZ += weight * (z[j] - z[top]);
  }
  meanW /= sum;
  meanZ /= sum;
  let covariance = 0, variance = 0;
  for (let j = 0; j < z.length; j++) {
    if (w[j] === w[top]) continue;
    const share = Math.exp((z[j] - second) / eps) * (w[j] - w[top]);
    covariance += share * (z[j] - z[top] - meanZ);
    variance += share * (w[j] - w[top] - meanW);
  }
  return -covariance / variance;
}

// A zero of f between a and b, where its signs differ, by halving to neighbouring doubles.
function bisect(f, a, b) {
  const positive = f(a) > 0;
  for (let k = 0; k < 200; k++) {
    const middle = a + (b - a) / 2;
    if (middle <= a || middle >= b) break;
    if (f(middle) > 0 === positive) a = middle;
    else b = middle;
  }
  return a + (b - a) / 2;
}

// Where |f| is least between a and b, by golden sections.
function leastAbsolute(f, a, b) {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let c = b - ratio * (b - a), d = a + ratio * (b - a);
  let fc = Math.abs(f(c)), fd = Math.abs(f(d));
  for (let k = 0; k < 40; k++) {
    if (fc < fd) {
      b = d; d = c; fd = fc;
      c = b - ratio * (b - a); fc = Math.abs(f(c));
    } else {
      a = c; c = d; fc = fd;
      d = a + ratio * (b - a); fd = Math.abs(f(d));
    }
  }
  return (a + b) / 2;
}

function linspace(low, high, count) {
  const last = count - 1;
  return Float64Array.from({ length: count }, (_, k) => (k === last ? high : low + ((high - low) * k) / last));
}

function largest(values) {
  let most = -Infinity;
  for (const v of values) if (v > most) most = v;
  return most;
}

// The largest absolute value.
function most(values) {
  return largest(Array.from(values, Math.abs));
}

function minus(a, b) {
  return Array.from(a, (v, k) => v - b[k]);
}
