// A rectangle in shares of a picture: moved, resized, drawn and spelled, without any page.

export interface Region {
  x: number;
  y: number;
  w: number;
  h: number;
}

export const SMALLEST = 0.01;
export const STEP = 0.01;

const clamp = (value: number, low: number, high: number): number =>
  Math.min(Math.max(value, low), Math.max(low, high));

/** Move a rectangle; it stays inside the picture. */
export function moved(region: Region, dx: number, dy: number): Region {
  return {
    ...region,
    x: clamp(region.x + dx, 0, 1 - region.w),
    y: clamp(region.y + dy, 0, 1 - region.h),
  };
}

/** Make a rectangle wider and higher (or less so) at its right and lower edge. */
export function resized(region: Region, dw: number, dh: number): Region {
  return {
    ...region,
    w: clamp(region.w + dw, SMALLEST, 1 - region.x),
    h: clamp(region.h + dh, SMALLEST, 1 - region.y),
  };
}

/** The rectangle between two points, which may lie outside the picture. */
export function between(ax: number, ay: number, bx: number, by: number): Region {
  const left = clamp(Math.min(ax, bx), 0, 1 - SMALLEST);
  const top = clamp(Math.min(ay, by), 0, 1 - SMALLEST);
  return {
    x: left,
    y: top,
    w: clamp(Math.max(ax, bx) - left, SMALLEST, 1 - left),
    h: clamp(Math.max(ay, by) - top, SMALLEST, 1 - top),
  };
}

/** Spell it as parts of a question do: `0.1,0.2,0.3,0.4`, never beyond the edge. */
export function spelled({ x, y, w, h }: Region): string {
  const parts = [x, y].map((value) => Math.floor(value * 10_000));
  const sizes = [w, h].map((value, axis) =>
    Math.max(1, Math.min(Math.round(value * 10_000), 10_000 - (parts[axis] ?? 0))),
  );
  return [...parts, ...sizes].map((value) => String(value / 10_000)).join(",");
}
