/**
 * The stage: one tile for each person, as large as the window allows, and the players that make them heard.
 *
 * A tile belongs to a participant for as long as the participant is in the room; which slot feeds its picture comes from
 * the bindings and may change at any time. The picture is shown with its first frame after such a change, and a person
 * whose camera is off, or who has no slot at the moment, is shown by initials.
 */

/** Tiles for others; more people than this are counted in a last tile. */
const TILES_MAX = 15;

/** The bounds of a tile's width by its height. On an upright screen a picture may lose its sides, elsewhere little of it. */
const ASPECT_MIN = 4 / 3;
const ASPECT_MIN_UPRIGHT = 3 / 4;
const ASPECT_MAX = 16 / 9;
const GAP = 10;

/** A voice above this level (0 to 1) is speaking, and stays so for a moment. */
const SPEAKING_LEVEL = 0.02;
const SPEAKING_MILLIS = 600;

/**
 * A stage in `tilesElement`, with sound from players in `playersElement`. `invitation` is the tile beside somebody who is
 * alone; `onBlocked` hears when sound needs a click.
 */
export function createStage({ tilesElement, playersElement, invitation, onBlocked }) {
  const parts = { tilesElement, playersElement, invitation, onBlocked };
  // Which tile fills the stage, by its person, or "" for none.
  const stage = { ...parts, tiles: new Map(), players: new Map(), more: moreTile(), large: "" };
  tilesElement.addEventListener("click", ({ target }) => {
    const key = target.closest("[data-person]")?.dataset.person;
    if (key !== undefined) enlarge(stage, stage.large === key ? "" : key);
  });
  new ResizeObserver(() => layOut(stage)).observe(tilesElement);
  return stage;
}

/**
 * Shows who is there. `people` are `{ key, name, own, stream, flowing, muted }` in order: `stream` is what the picture comes
 * from, or null; `flowing` whether pictures arrive; `muted` whether the microphone is off; `screen` whether it shows a screen.
 */
export function showPeople(stage, people) {
  const shown = people.length > TILES_MAX + 1 ? [...people.slice(0, TILES_MAX), people.at(-1)] : people;
  const gone = new Set(stage.tiles.keys());
  for (const person of shown) {
    gone.delete(person.key);
    let tile = stage.tiles.get(person.key);
    if (tile === undefined) {
      tile = createTile(person);
      stage.tiles.set(person.key, tile);
    }
    updateTile(tile, person);
  }
  for (const key of gone) {
    const tile = stage.tiles.get(key);
    tile.video.srcObject = null;
    tile.element.remove();
    stage.tiles.delete(key);
  }
  if (gone.has(stage.large)) enlarge(stage, "");
  const hidden = people.length - shown.length;
  stage.more.textContent = hidden > 0 ? `and ${hidden} more` : "";
  const elements = shown.map(({ key }) => stage.tiles.get(key).element);
  if (hidden > 0) elements.splice(-1, 0, stage.more);
  if (people.length === 1 && people[0].own) elements.unshift(stage.invitation);
  place(stage.tilesElement, elements);
  layOut(stage);
}

/** Lets one person's picture fill the stage, whole, as what is shown on a screen needs; "" gives everybody a tile again. */
export function enlarge(stage, key) {
  stage.large = key;
  stage.tilesElement.dataset.large = String(key !== "");
  for (const [each, { element, button }] of stage.tiles) {
    element.dataset.large = String(each === key);
    button.setAttribute("aria-pressed", String(each === key));
  }
  layOut(stage);
}

/** Plays the tracks of the audio slots; call it once for each connection. */
export function playAudio(stage, slots) {
  stage.playersElement.replaceChildren();
  stage.players.clear();
  for (const [mid, transceiver] of slots) {
    if (transceiver.receiver.track.kind !== "audio") continue;
    const player = document.createElement("audio");
    player.autoplay = true;
    player.srcObject = new MediaStream([transceiver.receiver.track]);
    stage.players.set(mid, player);
    stage.playersElement.append(player);
    player.play().catch((error) => {
      if (error.name === "NotAllowedError") stage.onBlocked();
    });
  }
}

/** Starts players that the browser had held back; call it from a click. */
export function unblockAudio(stage) {
  for (const player of stage.players.values()) player.play().catch(() => {});
}

/** Takes everything off the stage. */
export function clearStage(stage) {
  showPeople(stage, []);
  for (const player of stage.players.values()) {
    player.srcObject = null;
    player.remove();
  }
  stage.players.clear();
}

/** Marks who speaks: `level` is the loudness of a person's voice now, 0 to 1. */
export function showLevel(stage, key, level) {
  const tile = stage.tiles.get(key);
  if (tile === undefined) return;
  const now = performance.now();
  if (level > SPEAKING_LEVEL) tile.spokeAt = now;
  // What still sounds when somebody has just gone mute is an echo.
  tile.element.dataset.speaking = String(tile.muted.hidden && now - tile.spokeAt < SPEAKING_MILLIS);
}

/** The letters that stand for a name: those of its first and last word, or empty when it has no letter. */
export function initials(name) {
  const firsts = name.split(/[^\p{L}\p{M}]+/u).filter((word) => word !== "");
  const letters = firsts.length > 1 ? [firsts[0], firsts.at(-1)] : firsts;
  return letters.map((word) => [...word][0].toUpperCase()).join("");
}

function createTile({ key, own }) {
  const element = document.createElement("article");
  element.className = own ? "tile own" : "tile";
  element.dataset.person = key;
  const avatar = document.createElement("span");
  avatar.className = "avatar";
  avatar.setAttribute("aria-hidden", "true");
  const video = document.createElement("video");
  video.autoplay = true;
  video.muted = true;
  video.playsInline = true;
  const label = document.createElement("p");
  label.className = "label";
  const muted = document.createElement("span");
  muted.className = "muted";
  muted.append(document.getElementById("muted-icon").content.cloneNode(true));
  const name = document.createElement("span");
  name.className = "name";
  label.append(muted, name);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "enlarge";
  button.setAttribute("aria-pressed", "false");
  button.append(document.getElementById("enlarge-icon").content.cloneNode(true));
  element.append(avatar, video, label, button);
  return { element, avatar, video, muted, name, button, stream: null, flowing: false, spokeAt: -SPEAKING_MILLIS };
}

function updateTile(tile, { key, name, own, screen, stream, flowing, muted }) {
  const label = own ? `${name} (you)` : name;
  if (tile.name.textContent !== label) {
    tile.name.textContent = label;
    tile.avatar.textContent = initials(name);
    tile.avatar.style.setProperty("--hue", String(hueOf(key)));
    tile.element.setAttribute("aria-label", label);
    tile.button.setAttribute("aria-label", `Enlarge ${label}`);
  }
  tile.element.dataset.screen = String(screen === true);
  tile.muted.hidden = !muted;
  if (tile.stream === stream && tile.flowing === flowing) return;
  const changed = tile.stream !== stream;
  tile.stream = stream;
  tile.flowing = flowing;
  if (changed) tile.video.srcObject = stream;
  tile.element.dataset.picture = "false";
  if (stream === null || !flowing) return;
  tile.video.play().catch(() => {});
  onNextFrame(tile.video, () => {
    if (tile.stream === stream && tile.flowing) tile.element.dataset.picture = "true";
  });
}

function onNextFrame(video, use) {
  if (video.requestVideoFrameCallback === undefined) video.addEventListener("timeupdate", use, { once: true });
  else video.requestVideoFrameCallback(use);
}

/** Puts elements into a parent in this order, moving none that stands right: a moved video would stop for a moment. */
function place(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
}

/** Finds the number of columns that makes the tiles largest, and sets their size. */
function layOut({ tilesElement }) {
  const count = tilesElement.dataset.large === "true" ? 1 : tilesElement.children.length;
  const { clientWidth, clientHeight } = tilesElement;
  if (count === 0 || clientWidth === 0) return;
  const aspectMin = clientWidth < clientHeight ? ASPECT_MIN_UPRIGHT : ASPECT_MIN;
  let best = { area: -1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    let width = (clientWidth - GAP * (columns - 1)) / columns;
    let height = (clientHeight - GAP * (rows - 1)) / rows;
    if (width / height > ASPECT_MAX) width = height * ASPECT_MAX;
    if (width / height < aspectMin) height = width / aspectMin;
    const area = width * height;
    if (width > 0 && height > 0 && area > best.area) best = { area, width, height };
  }
  tilesElement.style.setProperty("--tile-width", `${Math.floor(best.width)}px`);
  tilesElement.style.setProperty("--tile-height", `${Math.floor(best.height)}px`);
  tilesElement.dataset.small = String(best.width < 200);
}

function moreTile() {
  const element = document.createElement("article");
  element.className = "tile more";
  return element;
}

/** A hue that differs well between neighbouring numbers. */
function hueOf(key) {
  return (Number(key) * 137.5 + 160) % 360;
}
