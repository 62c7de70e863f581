import { compile } from "fluxion";

/** All that may be asked of an array that grows at run time is `push` and `pop`. */
export const length = compile((x: Float64Array) => {
  const stack: number[] = [];
  for (const v of x) stack.push(v);
  return stack.length;
});
export const element = compile((x: Float64Array) => {
  const stack: number[] = [];
  for (const v of x) stack.push(v);
  return stack[0]!;
});
export const whole = compile((x: Float64Array) => {
  const stack: number[] = [];
  for (const v of x) stack.push(v);
  return stack;
});
export const records = compile((x: Float64Array) => {
  const stack: { v: number }[] = [];
  for (const v of x) stack.push({ v });
  return stack.pop()!.v;
});
export const mixed = compile((x: Float64Array) => {
  const stack: (number | boolean)[] = [];
  for (const v of x) stack.push(v);
  for (const v of x) stack.push(v > 0);
  return stack.pop() === true;
});
/** The row that was pushed and the one that is popped are one object. */
export const row = compile((x: Float64Array) => {
  const stack: Float64Array[] = [];
  for (const v of x) stack.push(Float64Array.of(v));
  const top = stack.pop()!;
  top[0]! += 1;
  return stack.pop()![0]! + top[0]!;
});
