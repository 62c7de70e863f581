/**
 * The cheapest set of nodes that separates sources from sinks (Ford and Fulkerson): every path
 * from a source to a sink meets a node of the set.
 */

export interface CutProblem<Node> {
  /** What it costs to take a node into the set; at least 1. */
  readonly cost: (node: Node) => number;
  readonly successors: (node: Node) => readonly Node[];
  readonly sources: readonly Node[];
  readonly isSink: (node: Node) => boolean;
}

/**
 * Each node is an edge from its entry to its exit with its cost as capacity; edges between nodes
 * have no limit. Of equally cheap sets it is the one nearest to the sinks.
 */
export function minCut<Node>(problem: CutProblem<Node>): ReadonlySet<Node> {
  const { cost, successors, sources, isSink } = problem;
  const nodes = reachable(sources, successors);
  const predecessors = new Map<Node, Node[]>();
  for (const node of nodes) {
    for (const next of successors(node)) {
      const list = predecessors.get(next);
      if (list === undefined) predecessors.set(next, [node]);
      else list.push(node);
    }
  }
  /** Flow through each node, and along each edge between two. */
  const through = new Map<Node, number>();
  const along = new Map<Node, Map<Node, number>>();
  const flowAlong = (from: Node, to: Node): number => along.get(from)?.get(to) ?? 0;
  const room = (node: Node): number => cost(node) - (through.get(node) ?? 0);

  for (;;) {
    const path = augmentingPath();
    if (path === undefined) break;
    const amount = Math.min(...path.map(({ limit }) => limit));
    for (const step of path) step.push(amount);
  }

  // What can still reach a sink: the set is the nodes whose exit can, and whose entry cannot.
  const exits = new Set<Node>();
  const entries = new Set<Node>();
  const queue: { readonly node: Node; readonly exit: boolean }[] = [];
  const visit = (node: Node, exit: boolean): void => {
    const seen = exit ? exits : entries;
    if (seen.has(node)) return;
    seen.add(node);
    queue.push({ node, exit });
  };
  for (const node of nodes) if (isSink(node)) visit(node, true);
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
    const { node, exit } = item;
    if (exit) {
      if (room(node) > 0) visit(node, false);
      // Back along flow that leaves the exit.
      for (const next of successors(node)) if (flowAlong(node, next) > 0) visit(next, false);
    } else {
      if ((through.get(node) ?? 0) > 0) visit(node, true);
      for (const previous of predecessors.get(node) ?? []) visit(previous, true);
    }
  }
  return new Set([...nodes].filter((node) => exits.has(node) && !entries.has(node)));

  interface Step {
    readonly limit: number;
    readonly push: (amount: number) => void;
  }

  /** A path with room from a source to a sink, by breadth first. */
  function augmentingPath(): readonly Step[] | undefined {
    interface Visit {
      readonly node: Node;
      readonly exit: boolean;
      readonly from: Visit | undefined;
      readonly step: Step;
    }
    const seen = { entry: new Set<Node>(), exit: new Set<Node>() };
    const waiting: Visit[] = [];
    const enter = (node: Node, exit: boolean, from: Visit | undefined, step: Step): void => {
      const known = exit ? seen.exit : seen.entry;
      if (known.has(node)) return;
      known.add(node);
      waiting.push({ node, exit, from, step });
    };
    const free: Step = { limit: Infinity, push: () => {} };
    for (const source of sources) enter(source, false, undefined, free);
    for (let k = 0; k < waiting.length; k++) {
      const here = waiting[k] as Visit;
      const { node, exit } = here;
      if (exit) {
        if (isSink(node)) {
          const path: Step[] = [];
          for (let at: Visit | undefined = here; at !== undefined; at = at.from) path.push(at.step);
          return path;
        }
        const used = through.get(node) ?? 0;
        if (used > 0) enter(node, false, here, inside(node, used, -1));
        for (const next of successors(node)) enter(next, false, here, between(node, next, 1));
      } else {
        if (room(node) > 0) enter(node, true, here, inside(node, room(node), 1));
        for (const previous of predecessors.get(node) ?? []) {
          if (flowAlong(previous, node) > 0) {
            enter(previous, true, here, between(previous, node, -1));
          }
        }
      }
    }
    return undefined;
  }

  function inside(node: Node, limit: number, sign: 1 | -1): Step {
    const push = (amount: number): void => {
      through.set(node, (through.get(node) ?? 0) + sign * amount);
    };
    return { limit, push };
  }

  function between(from: Node, to: Node, sign: 1 | -1): Step {
    const limit = sign > 0 ? Infinity : flowAlong(from, to);
    const push = (amount: number): void => {
      const flows = along.get(from) ?? new Map<Node, number>();
      along.set(from, flows);
      flows.set(to, (flows.get(to) ?? 0) + sign * amount);
    };
    return { limit, push };
  }
}

function reachable<Node>(
  starts: readonly Node[],
  successors: (node: Node) => readonly Node[],
): ReadonlySet<Node> {
  const seen = new Set(starts);
  for (const node of seen) for (const next of successors(node)) seen.add(next);
  return seen;
}
