/**
 * Which simulcast layer a subscriber should get (RFC 8853): the best that flows.
 *
 * What "best" means depends on what is known. When every flowing layer has told its picture size, most pixels win. Else
 * the highest bitrate wins, and as rates wander, another layer must be a fifth better than the current one to take its
 * place. Else the layer that the offer named first wins, because that is the order of preference of RFC 8853 §5.2. A
 * publisher with little bandwidth stops its upper layers without a word; a layer that no longer flows is left at once. How
 * much the subscriber can take is another question, not asked here.
 */

/** What is known of a layer. */
export interface LayerView {
  /** Whether packets have come lately. */
  readonly flowing: boolean;
  /** Width times height of the pictures; 0 while it is not known. */
  readonly pixels: number;
  /** 0 while it is not known. */
  readonly bitrateBps: number;
  /** The place in the offer: lower is better when nothing else is known. */
  readonly order: number;
}

/** How much better another layer's bitrate must be than the current one's, as a ratio: a fifth. */
const BETTER_NUMERATOR = 6;
const BETTER_DENOMINATOR = 5;

/**
 * The index of the layer to send, or -1 when none flows. `current` is the index of the layer that is being sent, or -1; in
 * doubt it stays.
 */
export function chooseLayer(layers: readonly LayerView[], current: number): number {
  const byPixels = flowingAll(layers, true);
  const byBitrate = !byPixels && flowingAll(layers, false);
  let best = current >= 0 && current < layers.length && layers[current]!.flowing ? current : -1;
  for (let index = 0; index < layers.length; index++) {
    const layer = layers[index]!;
    if (!layer.flowing || index === best) continue;
    if (best < 0 || beats(layer, layers[best]!, best === current, byPixels, byBitrate)) best = index;
  }
  return best;
}

/** Whether `layer` takes the place of `best`, which may be the current layer. */
function beats(layer: LayerView, best: LayerView, isCurrent: boolean, byPixels: boolean, byBitrate: boolean): boolean {
  if (byPixels && layer.pixels !== best.pixels) return layer.pixels > best.pixels;
  if (byBitrate) {
    if (isCurrent) return layer.bitrateBps * BETTER_DENOMINATOR > best.bitrateBps * BETTER_NUMERATOR;
    if (layer.bitrateBps !== best.bitrateBps) return layer.bitrateBps > best.bitrateBps;
  }
  return !isCurrent && layer.order < best.order;
}

/** Whether all layers that flow have told their size, or else have a bitrate. */
function flowingAll(layers: readonly LayerView[], pixels: boolean): boolean {
  for (const layer of layers) {
    if (layer.flowing && (pixels ? layer.pixels : layer.bitrateBps) === 0) return false;
  }
  return true;
}
