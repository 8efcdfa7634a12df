/**
 * Which pictures are screens: a face may lose its edges, what somebody shows wants to be seen whole.
 *
 * The server is not told, as a screen takes the camera's place in one sender. But the packets say it: browsers mark them by
 * the header extension video-content-type, the server hands that on, and the browser that plays them has it in its
 * statistics. One that does not read the extension shows screens as it shows faces.
 */

/** The mids of the slots that show a screen, from the browser's statistics (an iterable of reports). */
export function screensIn(reports) {
  return [...reports]
    .filter(({ type, contentType }) => type === "inbound-rtp" && contentType === "screenshare")
    .map(({ mid }) => mid);
}
