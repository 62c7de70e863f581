/** Digits and results as text for a terminal. */

/** How often each digit (row) was seen as each digit (column). */
export function confusionTable(seen: Int32Array, labels: Uint8Array): string {
  const counts = Array.from({ length: 10 }, () => new Array<number>(10).fill(0));
  labels.forEach((label, k) => {
    const row = counts[label];
    const column = seen[k] ?? 0;
    if (row !== undefined) row[column] = (row[column] ?? 0) + 1;
  });
  const cell = (text: string): string => text.padStart(5);
  const head = `true \\ seen${Array.from({ length: 10 }, (_, k) => cell(String(k))).join("")}`;
  const rows = counts.map((row, label) => {
    const cells = row.map((count) => cell(count === 0 ? "·" : String(count)));
    return `${String(label).padStart(11)}${cells.join("")}`;
  });
  return [head, ...rows].join("\n");
}

/** Images side by side, two pixels a character, with a caption under each. */
export function drawDigits(images: readonly Uint8Array[], captions: readonly string[]): string {
  const lines: string[] = [];
  for (let y = 0; y < 28; y += 2) {
    lines.push(images.map((image) => drawRow(image, y)).join("  "));
  }
  lines.push(captions.map((caption) => caption.padEnd(28)).join("  "));
  return lines.join("\n");
}

function drawRow(image: Uint8Array, y: number): string {
  let line = "";
  for (let x = 0; x < 28; x++) {
    const upper = (image[y * 28 + x] ?? 0) > 110;
    const lower = (image[(y + 1) * 28 + x] ?? 0) > 110;
    line += upper ? (lower ? "█" : "▀") : lower ? "▄" : " ";
  }
  return line;
}
