/**
 * Four drawn people in their rooms, as cameras for pictures of the page: they sway, blink and talk, so that what a tile
 * shows is a real moving picture that was encoded, sent, forwarded and decoded. Runs in a page before its own scripts.
 */
window.portraits = { sitAs };

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES_PER_SECOND = 15;

const INK = "#2b2522";

const PEOPLE = [
  {
    wall: ["#f0d9bd", "#d9b48c"],
    scene: plant,
    skin: "#e9b48f",
    hair: "#5b3423",
    cut: "bob",
    shirt: "#2f6f62",
    collar: true,
  },
  {
    wall: ["#c9d8dc", "#94b0ba"],
    scene: bookshelf,
    skin: "#8a5a3c",
    hair: "#241c1a",
    cut: "short",
    shirt: "#e0a84f",
    beard: true,
  },
  {
    wall: ["#e8cfc9", "#c79a94"],
    scene: pictures,
    skin: "#f2c9a8",
    hair: "#c9793f",
    cut: "bun",
    shirt: "#3b4a6b",
    glasses: true,
  },
  {
    wall: ["#d6dcc4", "#a3b08a"],
    scene: evening,
    skin: "#c98d63",
    hair: "#3a2a24",
    cut: "curls",
    shirt: "#a9503f",
    headphones: true,
  },
];

/** Makes the camera that the page opens show person `index`, from 0 to 3, and the microphone hum when that one `speaks`. */
function sitAs(index, speaks) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: WIDTH, height: HEIGHT });
  const context = canvas.getContext("2d");
  const show = () => drawPerson(context, PEOPLE[index], index, performance.now() / 1_000);
  show();
  setInterval(show, 1_000 / FRAMES_PER_SECOND);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = new MediaStream();
    if (wish.video) stream.addTrack(canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks()[0]);
    if (wish.audio) stream.addTrack(hum(speaks ? 0.2 : 0));
    return stream;
  };
}

function hum(volume) {
  const context = new AudioContext();
  const gain = new GainNode(context, { gain: volume });
  const mouth = new OscillatorNode(context, { frequency: 170 });
  const target = context.createMediaStreamDestination();
  mouth.connect(gain).connect(target);
  mouth.start();
  return target.stream.getAudioTracks()[0];
}

function drawPerson(context, person, index, seconds) {
  const { wall, scene, shirt } = person;
  const fill = context.createLinearGradient(0, 0, WIDTH, HEIGHT);
  fill.addColorStop(0, wall[0]);
  fill.addColorStop(1, wall[1]);
  context.fillStyle = fill;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  scene(context, seconds);
  context.save();
  context.translate(WIDTH / 2 + 7 * Math.sin(seconds * 0.6 + index * 2), 2 * Math.sin(seconds * 1.4 + index));
  hairBehind(context, person);
  shoulders(context, shirt, person);
  context.translate(0, 188);
  context.rotate(0.03 * Math.sin(seconds * 0.9 + index * 1.7));
  context.translate(0, -188);
  head(context, person, index, seconds);
  context.restore();
}

function shoulders(context, shirt, { skin, collar }) {
  shape(context, shirt, () => {
    context.moveTo(-190, HEIGHT + 10);
    context.bezierCurveTo(-186, 288, -130, 268, -58, 252);
    context.quadraticCurveTo(0, 236, 58, 252);
    context.bezierCurveTo(130, 268, 186, 288, 190, HEIGHT + 10);
  });
  shape(context, shade(skin, -18), () => {
    context.moveTo(-32, 205);
    context.lineTo(-34, 252);
    context.bezierCurveTo(-20, 284, 20, 284, 34, 252);
    context.lineTo(32, 205);
  });
  if (!collar) return;
  for (const side of [-1, 1]) {
    shape(context, shade(shirt, 22), () => {
      context.moveTo(side * 34, 246);
      context.lineTo(side * 74, 262);
      context.lineTo(side * 40, 300);
      context.lineTo(0, 276);
    });
  }
}

function head(context, person, index, seconds) {
  const { skin, cut } = person;
  if (cut !== "bob") for (const side of [-1, 1]) oval(context, shade(skin, -10), side * 70, 160, 13, 19);
  shape(context, skin, () => {
    context.moveTo(-70, 140);
    context.bezierCurveTo(-72, 62, 72, 62, 70, 140);
    context.bezierCurveTo(72, 200, 40, 232, 0, 233);
    context.bezierCurveTo(-40, 232, -72, 200, -70, 140);
  });
  for (const side of [-1, 1]) oval(context, "rgb(214 96 74 / 0.2)", side * 44, 182, 15, 10);
  if (person.beard) beard(context, person);
  face(context, person, index, seconds);
  hairBefore(context, person);
  if (person.glasses) glasses(context);
  if (person.headphones) headphones(context);
}

function face(context, { skin, hair, beard: hasBeard }, index, seconds) {
  const blinks = (seconds + index * 1.3) % 3.7 < 0.14;
  for (const side of [-1, 1]) {
    if (blinks) line(context, INK, 3, () => arc(context, side * 28, 152, 8, 0.1, 0.9));
    else oval(context, INK, side * 28, 153, 6, 7.5);
    if (!blinks) oval(context, "#fff", side * 28 + 2, 150, 1.9, 2.2);
    line(context, shade(hair, -8), 4.5, () => {
      context.moveTo(side * 17, 133);
      context.quadraticCurveTo(side * 30, 125, side * 42, 134);
    });
  }
  line(context, shade(skin, -38), 3, () => {
    context.moveTo(1, 158);
    context.quadraticCurveTo(9, 176, -3, 179);
  });
  const opening = Math.max(0, Math.sin(seconds * 7 + index)) * Math.max(0, Math.sin(seconds * 1.1 + index * 2.1));
  const lips = hasBeard ? "#b8766a" : shade(skin, -70);
  shape(context, opening > 0.12 ? "#7c2f2c" : lips, () => {
    context.moveTo(-21, 199);
    context.quadraticCurveTo(0, 208 - opening * 3, 21, 199);
    context.quadraticCurveTo(0, 213 + opening * 15, -21, 199);
  });
}

function hairBehind(context, { hair, cut }) {
  if (cut === "bob") {
    shape(context, shade(hair, -12), () => {
      context.moveTo(-88, 238);
      context.bezierCurveTo(-112, 30, 112, 30, 88, 238);
      context.quadraticCurveTo(0, 262, -88, 238);
    });
  }
  if (cut === "bun") oval(context, shade(hair, -8), 0, 58, 34, 30);
  if (cut !== "curls") return;
  for (let i = 0; i <= 12; i++) {
    const angle = Math.PI * (1 + i / 12);
    oval(context, shade(hair, -6), 82 * Math.cos(angle), 142 + 84 * Math.sin(angle), 27, 27);
  }
}

function hairBefore(context, { hair, cut }) {
  if (cut === "curls") {
    for (let i = 0; i <= 6; i++) oval(context, hair, -60 + 20 * i, 96 - 9 * Math.sin((Math.PI * i) / 6), 21, 19);
    return;
  }
  const fringe = { bob: [112, -30], bun: [96, 8], short: [100, -14] }[cut];
  const side = { bob: 196, bun: 140, short: 136 }[cut];
  // The crown stands at the same height, however far the hair comes down at the sides.
  const crown = (68 - side / 4) / 0.75;
  shape(context, hair, () => {
    context.moveTo(-73, side);
    context.bezierCurveTo(-88, crown, 88, crown, 73, side);
    context.bezierCurveTo(68, 128, 58, 116, fringe[1] + 16, fringe[0] - 14);
    context.bezierCurveTo(-20, fringe[0] + 14, -62, fringe[0] + 8, -73, side);
  });
}

function beard(context, { hair }) {
  shape(context, hair, () => {
    context.moveTo(-70, 158);
    context.bezierCurveTo(-64, 216, -36, 244, 0, 244);
    context.bezierCurveTo(36, 244, 64, 216, 70, 158);
    context.bezierCurveTo(58, 190, 30, 186, 0, 186);
    context.bezierCurveTo(-30, 186, -58, 190, -70, 158);
  });
}

function glasses(context) {
  for (const side of [-1, 1]) {
    line(context, "#37414f", 4, () => context.roundRect(side * 29 - 23, 137, 46, 34, 15));
    line(context, "#37414f", 4, () => {
      context.moveTo(side * 52, 150);
      context.lineTo(side * 70, 146);
    });
  }
  line(context, "#37414f", 4, () => arc(context, 0, 152, 7, 1.15, 1.85));
}

function headphones(context) {
  line(context, "#2c3136", 11, () => arc(context, 0, 146, 90, 1.06, 1.94));
  for (const side of [-1, 1]) {
    shape(context, "#2c3136", () => context.roundRect(side * 84 - 14, 132, 28, 58, 13));
    shape(context, "#e9b872", () => context.roundRect(side * 92 - 4, 146, 8, 30, 4));
  }
}

function plant(context, seconds) {
  window_(context, 40, 34, "#fdf3d6", "#f7e2ae");
  for (const [x, height, lean] of [
    [540, 150, -34],
    [556, 180, 6],
    [572, 140, 44],
    [552, 120, -60],
    [566, 110, 66],
  ]) {
    const sway = lean + 4 * Math.sin(seconds * 0.8 + x);
    shape(context, shade("#4d7d58", (x % 3) * 10), () => {
      context.moveTo(556, 290);
      context.quadraticCurveTo(x + sway - 26, 290 - height * 0.6, x + sway, 290 - height);
      context.quadraticCurveTo(x + sway + 26, 290 - height * 0.5, 556, 290);
    });
  }
  shape(context, "#b5654a", () => context.roundRect(516, 284, 80, 90, 10));
}

function bookshelf(context) {
  const spines = ["#b5574a", "#e4c98f", "#3f6b6b", "#8a6f9c", "#d98f5b", "#54708f", "#efe3cd", "#7d8a5a"];
  for (let row = 0; row < 3; row++) {
    const floor = 96 + row * 118;
    let x = 24;
    for (let i = 0; x < WIDTH - 40; i++) {
      const width = 15 + ((i * 7 + row * 5) % 13);
      const height = 54 + ((i * 11 + row * 17) % 32);
      if ((i + row * 3) % 9 !== 4) {
        shape(context, shade(spines[(i * 3 + row * 5) % spines.length], -8), () => {
          context.roundRect(x, floor - height, width, height, 3);
        });
      }
      x += width + 3;
    }
    shape(context, "#7b5b45", () => context.rect(0, floor, WIDTH, 11));
  }
}

function pictures(context) {
  for (const [x, y, width, height, sky, hill] of [
    [54, 44, 120, 92, "#f6e7c9", "#c08457"],
    [470, 36, 124, 150, "#cfe0e2", "#5f8c86"],
  ]) {
    shape(context, "#fbf6ec", () => context.rect(x - 8, y - 8, width + 16, height + 16));
    shape(context, sky, () => context.rect(x, y, width, height));
    oval(context, "#fdfaf0", x + width * 0.7, y + height * 0.3, 13, 13);
    shape(context, hill, () => {
      context.moveTo(x, y + height);
      context.lineTo(x, y + height * 0.75);
      context.quadraticCurveTo(x + width * 0.35, y + height * 0.35, x + width * 0.6, y + height * 0.7);
      context.quadraticCurveTo(x + width * 0.8, y + height * 0.5, x + width, y + height * 0.66);
      context.lineTo(x + width, y + height);
    });
  }
  shape(context, "#9a6f62", () => context.rect(0, 268, WIDTH, 100));
  shape(context, "#b78a7c", () => context.roundRect(-20, 240, 200, 140, 26));
  shape(context, "#b78a7c", () => context.roundRect(460, 240, 220, 140, 26));
}

function evening(context, seconds) {
  window_(context, 452, 30, "#8fa9b8", "#e9b58a");
  const glow = context.createRadialGradient(110, 120, 10, 110, 120, 170 + 4 * Math.sin(seconds));
  glow.addColorStop(0, "rgb(255 238 190 / 0.85)");
  glow.addColorStop(1, "rgb(255 238 190 / 0)");
  context.fillStyle = glow;
  context.fillRect(0, 0, 320, HEIGHT);
  shape(context, "#6d5a45", () => context.rect(106, 120, 8, 250));
  shape(context, "#fbeec9", () => {
    context.moveTo(72, 152);
    context.lineTo(92, 82);
    context.lineTo(128, 82);
    context.lineTo(148, 152);
  });
}

function window_(context, x, y, top, bottom) {
  shape(context, "#fbf8f0", () => context.roundRect(x - 9, y - 9, 158, 188, 6));
  const sky = context.createLinearGradient(0, y, 0, y + 170);
  sky.addColorStop(0, top);
  sky.addColorStop(1, bottom);
  shape(context, sky, () => context.rect(x, y, 140, 170));
  shape(context, "#fbf8f0", () => context.rect(x + 67, y, 6, 170));
  shape(context, "#fbf8f0", () => context.rect(x, y + 82, 140, 6));
}

function shape(context, fill, path) {
  context.beginPath();
  path();
  context.closePath();
  context.fillStyle = fill;
  context.fill();
}

function line(context, stroke, width, path) {
  context.beginPath();
  path();
  Object.assign(context, { strokeStyle: stroke, lineWidth: width, lineCap: "round", lineJoin: "round" });
  context.stroke();
}

/** An arc between two angles, in halves of a turn. */
function arc(context, x, y, radius, from, to) {
  context.arc(x, y, radius, from * Math.PI, to * Math.PI);
}

function oval(context, fill, x, y, radiusX, radiusY) {
  shape(context, fill, () => context.ellipse(x, y, radiusX, radiusY, 0, 0, 2 * Math.PI));
}

/** A colour (#rrggbb) made lighter, or darker when `amount` is negative. */
function shade(colour, amount) {
  const parts = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) + amount);
  return `rgb(${parts.map((part) => Math.min(255, Math.max(0, part))).join(" ")})`;
}
