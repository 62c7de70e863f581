/** What is said of the places in a program that can fail at run time. */

import type { Site } from "./manifest.ts";

/** What programs give for an index with a fraction, and for NaN. */
const notWhole = -2147483648;

export function faultAt(site: Site | undefined, index: number, extent: number): RangeError {
  const place = site?.place === undefined || site.place === "" ? "" : ` at ${site.place}`;
  const array = site?.name === undefined ? "an array" : `\`${site.name}\``;
  switch (site?.kind) {
    case "start":
      return new RangeError(
        `${site.op}${place}: start ${index} leaves no room for the slice in ${array}, ` +
          `the last possible start is ${extent - 1}; check the start before slicing`,
      );
    case "length":
      return new RangeError(
        `a new array${place}: ${
          index === -1
            ? "its length is not a whole number of at least 0"
            : `it cannot have ${index} elements`
        }; check the length before use`,
      );
    case "extent":
      return new RangeError(
        `${array}${place}: has ${index} elements, and ${extent} belong here; pass one of this length`,
      );
    case "stack":
      return new RangeError(
        `${site.op}${place}: nothing is left to take; count what was pushed before`,
      );
    default:
      return new RangeError(
        `${site?.op === "at" ? "reading" : "writing"} ${array}${place}: ${
          index === notWhole
            ? "the index is not a whole number of 32 bits"
            : `index ${index} is out of range for length ${extent}`
        }; check it before use`,
      );
  }
}
