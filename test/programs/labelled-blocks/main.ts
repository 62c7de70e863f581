import { compile } from "fluxion";

const f = (x: number) => {
  let result = 0;
  done: {
    if (x < 0) break done;
    result = 1;
    if (x > 10) break done;
    result = 2;
  }
  let i = 0;
  search: while (true) {
    switch (i % 4) {
      case 1:
        i += 2;
        continue search;
      case 3:
        if (i > x) break search;
        break;
    }
    i++;
  }
  return [result, i];
};
const compiled = compile(f);

export const main = () => [compiled(-1), compiled(5), compiled(11)];
