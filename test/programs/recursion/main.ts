import { compile } from "fluxion";

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

function fibonacci(n: number): number {
  if (n < 2) return n;
  return fibonacci(n - 1) + fibonacci(n - 2);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Two functions that call each other. */
function isEven(n: number): boolean {
  return n === 0 || isOdd(n - 1);
}
function isOdd(n: number): boolean {
  return n !== 0 && isEven(n - 1);
}

/** Three calls in one, the type of the result not declared. */
function tak(x: number, y: number, z: number): number {
  if (y >= x) return z;
  return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

/** A function as an argument, the same at every depth. */
function adaptive(f: (x: number) => number, a: number, b: number, depth: number): number {
  const m = (a + b) / 2;
  const whole = ((b - a) / 6) * (f(a) + 4 * f(m) + f(b));
  if (depth <= 0 || Math.abs(whole) < 1e-3) return whole;
  return adaptive(f, a, m, depth - 1) + adaptive(f, m, b, depth - 1);
}

/** Calls in loops and in branches, and a number that all of them write. */
function countTrees(n: number) {
  let calls = 0;
  const count = (k: number): number => {
    calls++;
    if (k < 2) return 1;
    let total = 0;
    for (let left = 0; left < k; left++) total += count(left) * count(k - 1 - left);
    return total;
  };
  return { trees: count(n), calls };
}

/** A record in, a record out, and a default that stands for a number. */
interface Complex {
  readonly re: number;
  readonly im: number;
}
function power(z: Complex, n: number): Complex {
  if (n === 0) return { re: 1, im: 0 };
  const { re, im } = power(z, n - 1);
  return { re: re * z.re - im * z.im, im: re * z.im + im * z.re };
}
function sumTo(n: number, sum = 0): number {
  return n <= 0 ? sum : sumTo(n - 1, sum + n);
}

/** Known numbers alone: as deep as it goes, without a function. */
const cube = (x: number, n = 3): number => (n === 0 ? 1 : x * cube(x, n - 1));

/** Ackermann's function, with an argument that is a call. */
function ackermann(m: number, n: number): number {
  if (m === 0) return n + 1;
  return n === 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

/** A while loop that calls the function around it. */
function hanoi(n: number): number {
  let moves = 0;
  while (n > 0) {
    n--;
    moves += hanoi(n) + 1;
  }
  return moves;
}

const all = compile((n: number, x: number) => ({
  factorial: factorial(n),
  fibonacci: fibonacci(n),
  known: fibonacci(12),
  gcd: gcd(n * 12, n * 18),
  isEven: isEven(n),
  tak: tak(n, n - 2, 1),
  adaptive: adaptive((t) => Math.sqrt(t * x), 0, x, n),
  countTrees: countTrees(n),
  power: power({ re: x, im: 0.5 }, n),
  sumTo: sumTo(n),
  cube: cube(x),
  ackermann: ackermann(2, n),
  hanoi: hanoi(n),
}));

export const main = () => [all(5, 0.75), all(6, 2)];
