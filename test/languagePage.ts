/** The examples of the page of the language, as one file. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../transformer/read/world.ts";

export const page = readFileSync(join(packageRoot(), "docs", "language.md"), "utf8");

export const examples: readonly string[] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, text = ""]) => text,
);

const names = [
  ...["checkpoint", "compile", "customJvp", "customVjp", "grad", "hessian", "implicit", "jvp"],
  ...["hessianSparsity", "jvps", "sparseHessian", "sparseJacfwd", "sparseJacobian", "sparsity"],
  ...["sparsityOf", "valueAndGrad", "device", "onReady", "type Dim", "type Tensor"],
  ...["asTexture", "draw", "fromImage", "gpuDevice"],
];

/** Each example in a block of its own, so that they may use the same names. */
export const examplesFile = [
  `import { ${names.join(", ")} } from "fluxion";\n`,
  ...examples.map((text) => `{\n${text}}\n`),
].join("");
