import { compile } from "fluxion";

export const f = compile((x: number) => {
  console.log(x);
  const y = fetch("https://example.org");
  return x * 2;
});
