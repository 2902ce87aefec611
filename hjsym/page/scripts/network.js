"use strict";
// A network on the slice, node by node at many points at once, and its rails P and Q with f = P − Q.
//
// Values are held point after point: entry i of point p is at p·size + i.

class Network {
  constructor({ nodes, outputs, bound, monomials }) {
    this.nodes = nodes;
    this.outputs = outputs;
    this.bound = bound;
    this.monomials = monomials && monomials.map(({ P, Q }) => ({ P: new Polynomial(P), Q: new Polynomial(Q) }));
  }

  // f_ε of all outputs at points (count × variables).
  values(points, count, eps) {
    const values = [points];
    for (const node of this.nodes) {
      const operands = node.inputs.map((i) => values[i]);
      values.push(NODES[node.kind].values(node, operands, count, eps));
    }
    return values.at(-1);
  }

  // P_ε and Q_ε of all outputs: every weight split by its sign, W = W⁺ − W⁻, so that both stay convex.
  parts(points, count, eps) {
    const rails = [{ P: points, Q: new Float64Array(points.length) }];
    for (const node of this.nodes) {
      const operands = node.inputs.map((i) => rails[i]);
      rails.push(NODES[node.kind].parts(node, operands, count, eps));
    }
    return rails.at(-1);
  }

  // The last affine map, with what it reads at one point: which unit contributes what to an output.
  contributions(point, output, eps) {
    const last = this.nodes.at(-1);
    if (last.kind !== "linear" || last.inputs.length !== 1) return null;
    const values = [Float64Array.from(point)];
    for (const node of this.nodes) {
      values.push(NODES[node.kind].values(node, node.inputs.map((i) => values[i]), 1, eps));
    }
    const units = values[last.inputs[0]];
    const weights = rowOf(last.matrices[0], output, units.length);
    const gates = gateWeights(this.nodes[last.inputs[0] - 1], values, eps);
    return Array.from(units, (value, j) => ({ unit: j, value, part: weights[j] * value, gate: gates && gates[j] }));
  }
}

// max_j (w_j·s + c_j), explicit, and its Hopf–Lax solution at time t with κ = 1.
class Polynomial {
  constructor({ slopes, offsets }) {
    this.layer = new Layer({ slopes, offsets, names: null, labels: null, kappa: 1, time: 1 });
  }

  value(point) {
    return this.layer.value(point, 0);
  }

  solution(point) {
    return this.layer.solution(point, 0);
  }
}

function multiplyInto(result, matrix, values, count, sign) {
  const [rows, columns] = matrix.shape;
  const { data } = matrix;
  for (let p = 0; p < count; p++) {
    const from = p * columns, to = p * rows;
    if (matrix.rows) {
      for (let k = 0; k < data.length; k++) {
        const w = weightOf(data[k], sign);
        if (w !== 0) result[to + matrix.rows[k]] += w * values[from + matrix.columns[k]];
      }
      continue;
    }
    for (let i = 0, at = 0; i < rows; i++) {
      let sum = 0;
      for (let k = 0; k < columns; k++, at++) sum += weightOf(data[at], sign) * values[from + k];
      result[to + i] += sum;
    }
  }
}

// The whole weight, its positive or its negative part.
function weightOf(w, sign) {
  if (sign === 0) return w;
  return sign > 0 ? Math.max(w, 0) : Math.max(-w, 0);
}

function rowOf(matrix, row, columns) {
  const weights = new Float64Array(columns);
  if (matrix.rows) {
    matrix.data.forEach((w, k) => {
      if (matrix.rows[k] === row) weights[matrix.columns[k]] += w;
    });
  } else {
    for (let k = 0; k < columns; k++) weights[k] = matrix.data[row * columns + k];
  }
  return weights;
}

function biased(node, count) {
  const result = new Float64Array(count * node.bias.length);
  for (let p = 0; p < count; p++) result.set(node.bias, p * node.bias.length);
  return result;
}

// ε log(e^{a/ε} + e^{b/ε})
function softMax(a, b, eps) {
  const top = Math.max(a, b);
  return eps === 0 ? top : top + eps * Math.log1p(Math.exp(-Math.abs(a - b) / eps));
}

// Entry i of an array with one row for all entries, or one column for each.
function entry(row, i) {
  return row.length === 1 ? row[0] : row[i];
}

const NODES = {
  linear: {
    values(node, operands, count) {
      const result = biased(node, count);
      node.matrices.forEach((matrix, k) => multiplyInto(result, matrix, operands[k], count, 0));
      return result;
    },
    parts(node, operands, count) {
      const P = biased(node, count), Q = new Float64Array(P.length);
      node.matrices.forEach((matrix, k) => {
        multiplyInto(P, matrix, operands[k].P, count, 1);
        multiplyInto(P, matrix, operands[k].Q, count, -1);
        multiplyInto(Q, matrix, operands[k].Q, count, 1);
        multiplyInto(Q, matrix, operands[k].P, count, -1);
      });
      return { P, Q };
    },
  },

  // Piecewise linear in one variable: the hard function, and for each bend how far the soft one lies above it.
  bend: {
    values(node, [x], count, eps) {
      const size = x.length / count;
      return x.map((z, at) => {
        const i = at % size;
        let slope = entry(node.slopes[0], i), intercept = entry(node.intercept, i), soft = 0;
        node.breaks.forEach((row, k) => {
          const place = entry(row, i), bend = entry(node.slopes[k + 1], i) - entry(node.slopes[k], i);
          if (z > place) {
            slope += bend;
            intercept -= bend * place;
          }
          if (eps > 0) soft += bend * eps * Math.log1p(Math.exp(-Math.abs(z - place) / eps));
        });
        return slope * z + intercept + soft;
      });
    },
    // f(P − Q) = s·P − r·Q + t + Σ β_k max(P − c_k, Q) with first slope s, last slope r and intercept t
    parts(node, [{ P, Q }], count, eps) {
      const size = P.length / count;
      const upper = new Float64Array(P.length), lower = new Float64Array(P.length);
      for (let at = 0; at < P.length; at++) {
        const i = at % size;
        const add = (weight, value) => {
          if (weight > 0) upper[at] += weight * value;
          else lower[at] -= weight * value;
        };
        upper[at] += entry(node.intercept, i);
        add(entry(node.slopes[0], i), P[at]);
        add(-entry(node.slopes.at(-1), i), Q[at]);
        node.breaks.forEach((row, k) => {
          const bend = entry(node.slopes[k + 1], i) - entry(node.slopes[k], i);
          add(bend, softMax(P[at] - entry(row, i), Q[at], eps));
        });
      }
      return { P: upper, Q: lower };
    },
  },

  maximum: {
    values(node, [x], count, eps) {
      const size = x.length / count, { groups } = node;
      const result = new Float64Array(count * groups.length);
      for (let p = 0; p < count; p++) {
        groups.forEach((group, i) => {
          result[p * groups.length + i] = logSumExp(group.map((k) => x[p * size + k]), eps);
        });
      }
      return result;
    },
    // max_i (P_i − Q_i) = max_i (P_i + Σ_{k≠i} Q_k) − Σ_k Q_k
    parts(node, [{ P, Q }], count, eps) {
      const size = P.length / count, { groups } = node;
      const upper = new Float64Array(count * groups.length), lower = new Float64Array(upper.length);
      for (let p = 0; p < count; p++) {
        groups.forEach((group, i) => {
          const at = p * groups.length + i;
          const [numerators, denominators] = [P, Q].map((part) => group.map((k) => part[p * size + k]));
          const rest = (own) => denominators.reduce((sum, q, k) => (k === own ? sum : sum + q), 0);
          upper[at] = logSumExp(numerators.map((value, own) => value + rest(own)), eps);
          lower[at] = rest(-1);
        });
      }
      return { P: upper, Q: lower };
    },
  },
};

// The Gibbs weight of "on" in each soft ReLU, σ(z/ε): 0 or 1 at ε = 0. Null for other units.
function gateWeights(node, values, eps) {
  const isRelu = node && node.kind === "bend" && node.breaks.length === 1 &&
    node.slopes[0].every((s) => s === 0) && node.slopes[1].every((s) => s === 1);
  if (!isRelu) return null;
  const z = values[node.inputs[0]];
  return z.map((value, i) => gibbsWeights([value - entry(node.breaks[0], i), 0], eps)[0]);
}
