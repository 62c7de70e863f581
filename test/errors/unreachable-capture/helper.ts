export let hidden = 3;
export function change() {
  hidden++;
}
export function helper(x: number) {
  return x * hidden;
}
