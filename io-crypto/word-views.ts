/**
 * Views through which whole words of a byte array are read and written.
 *
 * A word of four bytes that is put together by hand costs four loads with a check each; through a `DataView` it costs one.
 * Making a view costs more than either, so the views of the few buffers are kept that packets lie in at present: they
 * are cut from large pieces. Whose packets pass through the same buffers shares one set of views.
 */

/** Buffers whose views are kept: those of what comes in, goes out and is opened, and a few more. */
const KEPT = 8;

/** The views; make them with {@link createWordViews}. */
export interface WordViews {
  readonly buffers: (ArrayBufferLike | undefined)[];
  readonly views: DataView[];
  next: number;
}

/** No view yet. */
export function createWordViews(): WordViews {
  const nothing = new DataView(new ArrayBuffer(0));
  return {
    buffers: new Array<ArrayBufferLike | undefined>(KEPT).fill(undefined),
    views: new Array<DataView>(KEPT).fill(nothing),
    next: 0,
  };
}

/** A view of the whole buffer of these bytes, which begin in it at their `byteOffset`. */
export function viewOf(kept: WordViews, { buffer }: Uint8Array): DataView {
  const { buffers, views } = kept;
  for (let i = 0; i < KEPT; i++) if (buffers[i] === buffer) return views[i]!;
  const view = new DataView(buffer);
  buffers[kept.next] = buffer;
  views[kept.next] = view;
  kept.next = (kept.next + 1) % KEPT;
  return view;
}
