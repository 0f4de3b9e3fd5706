// Two pictures looked at closely at once: what is done to one is done to the other, which shows the
// same place at the same scale: where details agree the matching place, else the same share.
import type { Matrix } from "./overlay";
import { openZoom, type Source, type Viewer } from "./zoom";

export interface Pair {
  close(): void;
  zoomBy(factor: number): void;
  home(): void;
  mirror(mirrored: boolean): void;
}

export interface Way {
  there: (x: number, y: number) => [number, number];
}

interface Side {
  place: HTMLElement;
  source: Source;
  label: string;
}

/** Open both; `ways` send a place (in shares) of the first to the second picture, and back. */
export async function openPair(sides: readonly [Side, Side], ways: readonly [Way, Way] | null, still: boolean): Promise<Pair> {
  const opened: Viewer[] = [];
  try {
    for (const side of sides) opened.push(await openZoom(side.place, side.source, { label: side.label, still }));
  } catch (error) {
    opened.forEach((viewer) => viewer.destroy());
    throw error;
  }
  const [first, second] = opened as [Viewer, Viewer];
  let leader = first;
  const join = (from: Viewer, to: Viewer, way: Way | undefined): void => {
    for (const name of ["canvas-press", "canvas-scroll", "canvas-key", "canvas-pinch"] as const) {
      from.addHandler(name, () => (leader = from));
    }
    from.addHandler("viewport-change", () => {
      if (leader === from) follow(from, to, way);
    });
  };
  join(first, second, ways?.[0]);
  join(second, first, ways?.[1]);
  follow(first, second, ways?.[0]);
  return {
    close: () => opened.forEach((viewer) => viewer.destroy()),
    zoomBy: (factor) => void leader.viewport.zoomBy(factor).applyConstraints(),
    home: () => {
      leader = first;
      opened.forEach((viewer) => viewer.viewport.goHome());
    },
    mirror: (mirrored) => void second.viewport.setFlip(mirrored),
  };
}

function follow(from: Viewer, to: Viewer, way: Way | undefined): void {
  const center = from.viewport.getCenter(true);
  const tall = heightOf(from);
  const [x, y] = [center.x, center.y / tall];
  const here = from.viewport.getZoom(true);
  const [u, v] = way ? way.there(x, y) : [x, y];
  let zoom = (here / from.viewport.getHomeZoom()) * to.viewport.getHomeZoom();
  if (way) {
    const [du, dv] = way.there(x + 0.001, y);
    const step = Math.hypot(du - u, (dv - v) * heightOf(to)) / 0.001;
    if (step > 0.01 && step < 100) zoom = here / step;
  }
  if (![u, v, zoom].every(Number.isFinite)) return;
  to.viewport.zoomTo(zoom, undefined, true);
  center.x = u;
  center.y = v * heightOf(to);
  to.viewport.panTo(center, true);
}

/** The height of a picture in units of its width, as viewports measure it. */
function heightOf(viewer: Viewer): number {
  const size = viewer.world.getItemAt(0).getContentSize();
  return size.y / size.x;
}

/** Both ways of a homography from the first to the second picture. */
export function waysOf(
  matrix: Matrix | null,
  sent: (m: Matrix, x: number, y: number) => [number, number],
  inverted: (m: Matrix) => Matrix | null,
): readonly [Way, Way] | null {
  const back = matrix && inverted(matrix);
  if (!matrix || !back) return null;
  return [{ there: (x, y) => sent(matrix, x, y) }, { there: (x, y) => sent(back, x, y) }];
}
