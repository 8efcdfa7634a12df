/**
 * Views through which whole words of a byte array are read and written.
 *
 * A word of four bytes that is put together by hand costs four loads with a check each; as an item of an `Int32Array` it costs
 * one. Making a view costs more than either, so the views of the few buffers are kept that packets lie in at present: they
 * are cut from large pieces. Whose packets pass through the same buffers shares one set of views. Even to ask an array where
 * in which buffer it lies costs some 40 ns, so what was asked about one is kept until it is another's turn.
 */

/** Buffers whose views are kept: those of what comes in, goes out and is opened, and a few more. */
const KEPT = 8;

/** The words of the buffer that an array of bytes lies in. */
export interface WordView {
  bytes: Uint8Array;
  words: Int32Array;
  /** Where in the buffer the array begins, in bytes. */
  begins: number;
}

/** The views; make them with {@link createWordViews}. */
export interface WordViews {
  readonly buffers: (ArrayBufferLike | undefined)[];
  readonly views: Int32Array[];
  next: number;
  /** Of the array that was read from last, and of that which was written to. Ask {@link lookAt}. */
  readonly source: WordView;
  readonly target: WordView;
}

/** No view yet. */
export function createWordViews(): WordViews {
  const nothing = (): WordView => ({ bytes: new Uint8Array(0), words: new Int32Array(0), begins: 0 });
  return {
    buffers: new Array<ArrayBufferLike | undefined>(KEPT).fill(undefined),
    views: new Array<Int32Array>(KEPT).fill(new Int32Array(0)),
    next: 0,
    source: nothing(),
    target: nothing(),
  };
}

/** Has `view`, one of the two, look at these bytes. */
export function lookAt(kept: WordViews, view: WordView, bytes: Uint8Array): void {
  if (view.bytes === bytes) return;
  view.bytes = bytes;
  view.words = wordsOf(kept, bytes.buffer);
  view.begins = bytes.byteOffset;
}

function wordsOf(kept: WordViews, buffer: ArrayBufferLike): Int32Array {
  const { buffers, views } = kept;
  for (let i = 0; i < KEPT; i++) if (buffers[i] === buffer) return views[i]!;
  const words = new Int32Array(buffer, 0, buffer.byteLength >> 2);
  buffers[kept.next] = buffer;
  views[kept.next] = words;
  kept.next = (kept.next + 1) % KEPT;
  return words;
}
