/** What becomes of an asynchronous root, as text: where each line is, and the two programs. */

import { MagicString } from "magic-string";
import ts from "typescript";
import { type Channel, connect, type ConnectOptions } from "./connect.ts";
import type { World } from "../read/world.ts";
import type { Placement, Region } from "./place.ts";

/** Each line of the function with the side that it is on, and the reasons below. */
export function placedText({ root, regions, placed }: Placement): string {
  const file = root.getSourceFile();
  const lineOf = (position: number): number => file.getLineAndCharacterOfPosition(position).line;
  const first = lineOf(root.getStart());
  const lines = file.text.split("\n").slice(first, lineOf(root.getEnd()) + 1);
  const sides = lines.map(() => new Set<string>());
  regions.forEach((region, number) => {
    for (const node of region.piece.nodes as readonly ts.Node[]) {
      const whole = region.piece.kind === "statements";
      for (let line = lineOf(node.getStart()); line <= lineOf(node.getEnd()); line++) {
        if (!whole) sides[line - first]?.add("host");
        sides[line - first]?.add(`device ${number}`);
      }
    }
  });
  const names = sides.map((side) => (side.size === 0 ? "host" : [...side].join(", ")));
  const width = Math.max(...names.map((name) => name.length));
  const table = lines.map(
    (line, k) =>
      `${String(first + k + 1).padStart(5)}  ${(names[k] as string).padEnd(width)}  ${line}`,
  );
  const reasons = placed
    .toSorted((a, b) => a.node.pos - b.node.pos)
    .map(({ node, side, reason, region }) => {
      const place = `line ${lineOf(node.getStart()) + 1}`;
      const where = region === undefined ? side : `${side} ${region}`;
      return `  ${place.padEnd(10)}${where.padEnd(10)}${reason}`;
    });
  return `${table.join("\n")}\n\nwhy\n${reasons.join("\n")}\n`;
}

/** The function of the host with its channels; the programs of the device are printed by themselves. */
export function splitText(world: World, placement: Placement, options: ConnectOptions): string {
  const { root, regions } = placement;
  const names = {
    program: (region: number): string => `device_${region}`,
    runtime: (name: string): string => name,
  };
  const { edits, channels, donated } = connect(world, placement, options, names);
  const file = root.getSourceFile();
  const text = new MagicString(file.text);
  for (const { start, end, text: replaced } of edits) {
    if (start === end) text.appendLeft(start, replaced);
    else text.update(start, end, replaced);
  }
  const host = text
    .slice(root.getStart(), root.getEnd())
    .replaceAll(/__fluxion_(?=out_|tails_)/g, "")
    .replaceAll(/^\s*\n/gm, "");
  const rows = channels.map((channel) => {
    const { number, kind, note } = channel;
    return `  #${String(number).padEnd(4)}${kind.padEnd(9)}${pathOf(channel).padEnd(34)}${note}`;
  });
  const takes = regions.map((region, k) => `  device ${k}: ${shapeOf(region, donated[k] ?? [])}`);
  return [
    `host\n${host}`,
    `programs\n${takes.join("\n")}`,
    `channels\n${rows.join("\n")}`,
    "",
  ].join("\n\n");
}

function pathOf({ kind, region, name }: Channel): string {
  if (kind === "receive") return name;
  if (kind === "send") return `${name} → device ${region}`;
  return `device ${region} → ${name === "" ? "the expression" : name}`;
}

function shapeOf({ program, entries }: Region, donated: readonly number[]): string {
  const given = program.signature.parameters.map(
    ({ name }, k) => name + (donated.includes(k) ? " (in place)" : ""),
  );
  const made = entries.map(({ name, field }) => (field === undefined ? name : `${name}.${field}`));
  return `${given.join(", ") || "nothing"} → ${made.join(", ") || "a value"}`;
}
