/** Options of the command line. */

/** A whole number that is large enough. Throws an `Error` that names the option where it is none. */
export function whole(name: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new Error(`${name} needs a whole number of at least ${least}, not ${text}`);
}
