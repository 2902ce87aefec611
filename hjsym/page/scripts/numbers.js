"use strict";
// Numbers for reading, and round ones for axes.

const SUPERSCRIPTS = Object.fromEntries([..."-0123456789"].map((c, k) => [c, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[k]]));

function tenTo(exponent) {
  return `10${[...String(exponent)].map((c) => SUPERSCRIPTS[c]).join("")}`;
}

function powerOfTen(value) {
  const exponent = Math.round(Math.log10(value));
  return Math.abs(exponent) <= 2 ? String(value) : tenTo(exponent);
}

// A few digits, a true minus, powers of ten where a number is tiny or huge.
function readable(value, digits = 6) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text = String(Number(value.toPrecision(digits)));
  if (size < 1e-4 || size >= 1e6) {
    const [mantissa, exponent] = value.toExponential(Math.min(digits - 1, 2)).split("e");
    text = `${mantissa}·${tenTo(Number(exponent))}`;
  }
  return text.replace(/^-/, "−");
}

// Round numbers between low and high, about `count` of them.
function niceTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) {
    ticks.push(k === 0 ? 0 : Number((k * step).toPrecision(12)));
  }
  return ticks;
}

// Powers of ten from low to high, at most about eight.
function decadeTicks(low, high) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const step = Math.ceil((last - first) / 7) || 1;
  const ticks = [];
  for (let k = last; k >= first; k -= step) ticks.unshift(10 ** k);
  return ticks;
}

// The range of all finite values of some curves, with room around it.
function rangeOf(...curves) {
  let low = Infinity, high = -Infinity;
  for (const v of curves.flatMap((curve) => Array.from(curve))) {
    if (!Number.isFinite(v)) continue;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  if (low > high) return { low: -1, high: 1 };
  if (low === high) return { low: low - 1, high: high + 1 };
  const room = 0.07 * (high - low);
  return { low: low - room, high: high + room };
}
