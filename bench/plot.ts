/**
 * Line charts as one SVG that opens anywhere: what a benchmark measured, against what it was made to bear.
 */
const WIDTH = 860;
const HEIGHT = 300;
const MARGIN = { left: 70, right: 24, top: 44, bottom: 46 };
const COLOURS = ["#2563eb", "#d97706", "#dc2626"] as const;

/** One curve, named in its colour. */
interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** One chart of several curves over the same axis. */
export interface Panel {
  readonly curves: readonly Curve[];
  readonly xLabel: string;
}

/** Charts one above the other, with a line beneath that says what they are of. */
export function linePlot(panels: readonly Panel[], caption: string): string {
  const height = panels.length * HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height + 30}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...panels.map((panel, index) => drawPanel(panel, index * HEIGHT)),
    `<text x="${MARGIN.left}" y="${height + 14}" fill="#555">${escapeText(caption)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

function drawPanel({ curves, xLabel }: Panel, top: number): string {
  const all = curves.flatMap(({ points }) => points);
  const xMax = niceMax(Math.max(1, ...all.map(([x]) => x)));
  const yMax = niceMax(Math.max(0, ...all.map(([, y]) => y)) || 1);
  const right = WIDTH - MARGIN.right;
  const bottom = top + HEIGHT - MARGIN.bottom;
  const px = (x: number) => MARGIN.left + (x / xMax) * (right - MARGIN.left);
  const py = (y: number) => bottom - (y / yMax) * (bottom - top - MARGIN.top);
  const parts: string[] = [];
  for (let tick = 0; tick <= 4; tick++) {
    const y = (yMax * tick) / 4;
    const x = (xMax * tick) / 4;
    parts.push(
      `<line x1="${MARGIN.left}" x2="${right}" y1="${py(y)}" y2="${py(y)}" stroke="#e5e7eb"/>`,
      `<text x="${MARGIN.left - 8}" y="${py(y) + 4}" text-anchor="end" fill="#555">${short(y)}</text>`,
      `<text x="${px(x)}" y="${bottom + 18}" text-anchor="middle" fill="#555">${short(x)}</text>`,
    );
  }
  parts.push(`<text x="${right}" y="${bottom + 34}" text-anchor="end" fill="#555">${escapeText(xLabel)}</text>`);
  curves.forEach(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length]!;
    const line = points.map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`).join(" ");
    parts.push(`<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const [x, y] of points)
      parts.push(`<circle cx="${px(x).toFixed(1)}" cy="${py(y).toFixed(1)}" r="3" fill="${colour}"/>`);
    parts.push(`<text x="${MARGIN.left + index * 290}" y="${top + 24}" fill="${colour}">${escapeText(name)}</text>`);
  });
  return parts.join("\n");
}

/** The least of some round numbers times a power of ten that is not below the value. */
function niceMax(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return (
    [1, 1.5, 2, 2.5, 3, 4, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= value) ?? 10 * power
  );
}

function short(value: number): string {
  if (value >= 1_000_000) return `${value / 1_000_000} M`;
  if (value >= 1_000) return `${value / 1_000} k`;
  return String(Number(value.toPrecision(3)));
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
