/** The curve of a loss, as the paths of an SVG of one unit by one. */

export interface Chart {
  /** Forgets the curve; there will be this many batches in this many epochs. */
  readonly reset: (batches: number, epochs: number) => void;
  readonly add: (loss: number) => void;
  readonly draw: () => void;
}

/** The loss at the upper edge; ln 10, that of guessing, is a dashed line. */
const top = 2.75;
const guess = Math.log(10);
/** Of the running mean: how much of it is kept at each batch. */
const memory = 0.9;

export function lossChart(svg: SVGSVGElement): Chart {
  const rules = [1, 2].map((loss) => `M0 ${height(loss)}H1`).join("");
  const path = (name: string, d = ""): SVGPathElement => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
    element.setAttribute("class", name);
    element.setAttribute("d", d);
    return svg.appendChild(element);
  };
  const grid = path("rule", rules);
  path("guess", `M0 ${height(guess)}H1`);
  const batchPath = path("batches");
  const meanPath = path("mean");
  let losses: number[] = [];
  let expected = 1;
  const draw = (): void => {
    batchPath.setAttribute("d", curve(losses, expected));
    meanPath.setAttribute("d", curve(runningMean(losses), expected));
    const last = losses.at(-1);
    svg.setAttribute(
      "aria-label",
      last === undefined ? "no losses yet" : `from ${text(losses[0])} down to ${text(last)}`,
    );
  };
  return {
    reset(batches, epochs) {
      losses = [];
      expected = batches;
      const between = Array.from({ length: epochs - 1 }, (_, k) => `M${(k + 1) / epochs} 0V1`);
      grid.setAttribute("d", rules + between.join(""));
      draw();
    },
    add: (loss) => void losses.push(loss),
    draw,
  };
}

function curve(losses: readonly number[], expected: number): string {
  const x = (k: number): number => k / Math.max(1, expected - 1);
  return losses.map((loss, k) => `${k === 0 ? "M" : "L"}${x(k)} ${height(loss)}`).join("");
}

/** mₖ = 0.9 mₖ₋₁ + 0.1 lossₖ, divided by the sum of its weights. */
function runningMean(losses: readonly number[]): readonly number[] {
  let sum = 0;
  let weight = 0;
  return losses.map((loss) => {
    sum = memory * sum + (1 - memory) * loss;
    weight = memory * weight + (1 - memory);
    return sum / weight;
  });
}

function height(loss: number): number {
  return 1 - Math.min(loss, top) / top;
}

function text(loss: number | undefined): string {
  return (loss ?? 0).toFixed(2);
}
