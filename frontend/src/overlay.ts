// The geometry of two pictures laid over each other: where a homography puts the upper one.

/** A 3×3 matrix, row by row. */
export type Matrix = readonly number[];

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export function parseMatrix(text: string | undefined): Matrix | null {
  const values = (text ?? "").trim().split(/\s+/).map(Number);
  return values.length === 9 && values.every(Number.isFinite) ? values : null;
}

export function multiplied(a: Matrix, b: Matrix): Matrix {
  return Array.from({ length: 9 }, (_, place) => {
    const [row, column] = [Math.floor(place / 3), place % 3];
    return [0, 1, 2].reduce((sum, k) => sum + (a[row * 3 + k] ?? 0) * (b[k * 3 + column] ?? 0), 0);
  });
}

/** The inverse, up to scale, which is all that a homography needs; null where there is none. */
export function inverted(m: Matrix): Matrix | null {
  const at = (row: number, column: number): number => m[(row % 3) * 3 + (column % 3)] ?? 0;
  const cofactor = (row: number, column: number): number =>
    at(row + 1, column + 1) * at(row + 2, column + 2) - at(row + 1, column + 2) * at(row + 2, column + 1);
  const determinant = [0, 1, 2].reduce((sum, column) => sum + at(0, column) * cofactor(0, column), 0);
  if (Math.abs(determinant) < 1e-12) return null;
  return Array.from({ length: 9 }, (_, place) => cofactor(place % 3, Math.floor(place / 3)) / determinant);
}

/** Where a point, in shares, is sent. */
export function sent(m: Matrix, x: number, y: number): [number, number] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 1] = m;
  const depth = g * x + h * y + i;
  return [(a * x + b * y + c) / depth, (d * x + e * y + f) / depth];
}

/**
 * The CSS transform (its origin the upper left corner) that lays `upper` over `lower`, if `matrix`
 * sends shares of the lower picture to shares of the upper one.
 */
export function laidOver(matrix: Matrix, lower: Box, upper: Box): string | null {
  const back = inverted(matrix);
  if (!back) return null;
  const toShares: Matrix = [1 / upper.width, 0, 0, 0, 1 / upper.height, 0, 0, 0, 1];
  const toPixels: Matrix = [
    lower.width, 0, lower.left - upper.left,
    0, lower.height, lower.top - upper.top,
    0, 0, 1,
  ];
  const m = multiplied(multiplied(toPixels, back), toShares);
  const scale = m[8] || 1;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = m.map((v) => v / scale);
  return `matrix3d(${[a, d, 0, g, b, e, 0, h, 0, 0, 1, 0, c, f, 0, i].map((v) => v.toFixed(9)).join(",")})`;
}
