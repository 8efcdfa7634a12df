/**
 * Rooms in addresses: which room the page was opened for, a name for a new one, and the link that others come in by.
 */

/** The address that others come in by. */
export function roomLink(room) {
  return new URL(`/r/${room}`, location.href).href;
}

/** The address of the call that the browser shows: without what has been used up. */
export function callAddress(room, query) {
  const rest = new URLSearchParams(query);
  for (const key of ["room", "name", "join"]) rest.delete(key);
  return `/r/${room}${rest.size > 0 ? `?${rest}` : ""}`;
}

/** The room that the address names, or "". */
export function roomFromAddress(query) {
  const [, room] = /^\/r\/([^/]+)\/?$/.exec(location.pathname) ?? [];
  try {
    return room === undefined ? (query.get("room") ?? "") : decodeURIComponent(room);
  } catch {
    // Half a character: a link that was cut.
    return "";
  }
}

/** A room's name that nobody else is likely to be in, and that can be said over the phone. */
export function suggestRoom() {
  const first = ["amber", "brisk", "calm", "early", "gentle", "green", "light", "quiet", "silver", "sunny"];
  const second = ["anchor", "bridge", "cedar", "harbor", "lantern", "meadow", "otter", "river", "summit", "willow"];
  // Without characters that sound or look alike.
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  const [a, b, ...tail] = crypto.getRandomValues(new Uint32Array(7));
  return `${first[a % first.length]}-${second[b % second.length]}-${tail.map((each) => letters[each % letters.length]).join("")}`;
}

/** Copies text. Browsers keep their clipboard from pages without HTTPS, but copy for them what is selected. */
export async function copy(text) {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "aside";
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (!isCopied) throw new Error("nothing was copied");
}
