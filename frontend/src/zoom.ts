// OpenSeadragon on a stage: loaded by those who look closely, never before. It imports none of our
// other modules, so that nothing of the first page moves into a file that it must wait for.
import OpenSeadragon from "openseadragon";

/** Where the pixels are, as the page says it in data attributes. */
export interface Source {
  width: number;
  height: number;
  image: string;
  tiles: string;
}

interface Manifest {
  width: number;
  height: number;
  tile_side_px: number;
  overlap_px: number;
  n_levels: number;
  tile: string;
}

export type Viewer = OpenSeadragon.Viewer;

export function sourceOf(element: HTMLElement): Source {
  const { width, height, image, tiles } = element.dataset;
  return { width: Number(width), height: Number(height), image: image ?? "", tiles: tiles ?? "" };
}

async function tileSource(source: Source): Promise<object> {
  if (!source.tiles) return { type: "image", url: source.image, buildPyramid: true };
  const response = await fetch(source.tiles, { headers: { accept: "application/json" } });
  const told = (await response.json()) as Manifest & { error?: { message: string } };
  if (!response.ok) throw new Error(told.error?.message ?? response.statusText);
  return {
    width: told.width,
    height: told.height,
    tileSize: told.tile_side_px,
    tileOverlap: told.overlap_px,
    minLevel: 0,
    maxLevel: told.n_levels - 1,
    getTileUrl: (level: number, column: number, row: number) =>
      told.tile
        .replace("{level}", String(level))
        .replace("{column}", String(column))
        .replace("{row}", String(row)),
  };
}

/** Show a picture enlarged in `place`, called `label`, without motion if `still`. */
export async function openZoom(
  place: HTMLElement,
  source: Source,
  { label, still }: { label: string; still: boolean },
): Promise<Viewer> {
  const tiles = await tileSource(source);
  return new Promise((resolve, reject) => {
    const viewer = OpenSeadragon({
      element: place,
      drawer: "canvas",
      tileSources: tiles as OpenSeadragon.TileSourceOptions,
      showNavigationControl: false,
      imageLoaderLimit: 6,
      animationTime: still ? 0.001 : 0.4,
      springStiffness: 8,
      immediateRender: still,
      visibilityRatio: 0.5,
      minZoomImageRatio: 0.7,
      maxZoomPixelRatio: 6,
      zoomPerScroll: 1.25,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    });
    viewer.addHandler("canvas-key", (event) => {
      // letters turn, mirror and move the picture there; here they mean other things
      if (/^[a-z]$/i.test((event.originalEvent as KeyboardEvent).key)) {
        event.preventDefaultAction = true;
      }
    });
    const canvas = viewer.canvas as HTMLElement;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", label);
    viewer.addOnceHandler("open", () => resolve(viewer));
    viewer.addOnceHandler("open-failed", (event) => {
      viewer.destroy();
      reject(new Error(String(event.message)));
    });
  });
}

/** Where the whole picture lies on the screen in this viewer. */
export function frameIn(viewer: Viewer): DOMRect {
  const image = viewer.world.getItemAt(0);
  const size = image.getContentSize();
  const place = (viewer.element as HTMLElement).getBoundingClientRect();
  const [first, last] = [
    [0, 0],
    [size.x, size.y],
  ].map(([x, y]) => image.imageToViewerElementCoordinates(new OpenSeadragon.Point(x, y)));
  if (!first || !last) return place;
  return new DOMRect(place.left + first.x, place.top + first.y, last.x - first.x, last.y - first.y);
}
