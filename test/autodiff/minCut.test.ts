/** The cheapest separating set, against trying all of them. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { minCut } from "../../compiler/autodiff/minCut.ts";

interface Graph {
  readonly costs: readonly number[];
  /** Edges go from lower to higher numbers. */
  readonly edges: readonly (readonly [number, number])[];
  readonly sources: readonly number[];
  readonly sinks: readonly number[];
}

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: 8 }).chain((size) => {
  const node = fc.nat(size - 1);
  return fc.record({
    costs: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: size, maxLength: size }),
    edges: fc
      .array(fc.tuple(node, node), { maxLength: 16 })
      .map((pairs) => pairs.flatMap(([a, b]) => (a < b ? [[a, b] as const] : []))),
    sources: fc.uniqueArray(node, { minLength: 1, maxLength: 3 }),
    sinks: fc.uniqueArray(node, { minLength: 1, maxLength: 3 }),
  });
});

function successors({ edges }: Graph, node: number): readonly number[] {
  return edges.flatMap(([from, to]) => (from === node ? [to] : []));
}

function separates(graph: Graph, cut: ReadonlySet<number>): boolean {
  const seen = new Set(graph.sources.filter((source) => !cut.has(source)));
  for (const node of seen) {
    for (const next of successors(graph, node)) if (!cut.has(next)) seen.add(next);
  }
  return graph.sinks.every((sink) => !seen.has(sink));
}

function costOf({ costs }: Graph, cut: Iterable<number>): number {
  let cost = 0;
  for (const node of cut) cost += costs[node] ?? 0;
  return cost;
}

test("the set separates, and none that separates is cheaper", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const cut = minCut<number>({
        cost: (node) => graph.costs[node] ?? 0,
        successors: (node) => successors(graph, node),
        sources: graph.sources,
        isSink: (node) => graph.sinks.includes(node),
      });
      expect(separates(graph, cut)).toBe(true);
      const size = graph.costs.length;
      let best = Infinity;
      for (let bits = 0; bits < 2 ** size; bits++) {
        const set = new Set([...graph.costs.keys()].filter((node) => (bits >> node) % 2 === 1));
        if (separates(graph, set)) best = Math.min(best, costOf(graph, set));
      }
      expect(costOf(graph, cut)).toBe(best);
    }),
    { numRuns: 500 },
  );
});

test("of equals, the one nearest to the sinks", () => {
  const chain = minCut<number>({
    cost: () => 8,
    successors: (node) => (node < 3 ? [node + 1] : []),
    sources: [0],
    isSink: (node) => node === 3,
  });
  expect([...chain]).toEqual([3]);
});
