// A cell at work, drawn: the state on its way from left to right, the gates with their numbers.
// All text is set with textContent, so that markup in it stays text.

const WIDTH = 420;
const RADIUS = 26;
const TOP = 44; // of the line on which the state travels
// cividis (Nuñez et al. 2018) at 0, 1/4 ... 1: gates
const CIVIDIS = [[0, 34, 78], [65, 77, 107], [124, 123, 120], [188, 175, 111], [254, 232, 56]];
// orange to grey to blue, at -1, 0 and 1: signed values
const SIGNED = [[217, 95, 2], [226, 224, 218], [31, 119, 180]];

const element = (name, attributes, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const text = (x, y, content, anchor = "middle", fill = null) =>
  element("text", { x, y, "text-anchor": anchor, ...(fill && { fill }) },
    ...(Array.isArray(content) ? content : [content]));

// a symbol with a small index below it, and what follows
const indexed = (symbol, index, rest = "") => [
  symbol,
  element("tspan", { dy: 4, "font-size": 10 }, index),
  ...(rest ? [element("tspan", { dy: -4 }, rest)] : []),
];

// the colour at a share, 0 to 1, between evenly spaced stops
function colour(stops, share) {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const left = Math.min(Math.floor(at), stops.length - 2);
  return stops[left].map((part, k) => Math.round(part + (stops[left + 1][k] - part) * (at - left)));
}

const rgb = (parts) => `rgb(${parts.join(",")})`;

function ink([red, green, blue]) {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 128 ? "#111" : "#fff";
}

const OUTLINE = { fill: "none", stroke: "currentColor", "stroke-width": 1.5 };

const line = (x1, y1, x2, y2) =>
  element("line", { x1, y1, x2, y2, ...OUTLINE, "marker-end": "url(#tg-head)" });

const operator = (x, y, sign) => [element("circle", { cx: x, cy: y, r: 12, ...OUTLINE }), text(x, y + 5, sign)];

const box = (x, y, word) => [
  element("rect", { x: x - 32, y: y - 14, width: 64, height: 28, rx: 5, ...OUTLINE }),
  text(x, y + 5, word),
];

const number = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);

// value: the number; signed: where its colour lies between -1 and 1; ring: it was set by hand
function pill(x, y, value, signed, ring = false) {
  const ground = colour(SIGNED, (Math.min(Math.max(signed, -1), 1) + 1) / 2);
  const outer = { x: x - 34, y: y - 18, width: 68, height: 36, rx: 18, ...OUTLINE };
  const inner = { x: x - 30, y: y - 14, width: 60, height: 28, rx: 14, fill: rgb(ground) };
  return [
    ...(ring ? [element("rect", outer)] : []),
    element("rect", inner),
    text(x, y + 5, number(value), "middle", ink(ground)),
  ];
}

function share({ label, value, ring }, x, y) {
  const ground = colour(CIVIDIS, value);
  return [
    ...(ring ? [element("circle", { cx: x, cy: y, r: RADIUS + 4, ...OUTLINE })] : []),
    element("circle", { cx: x, cy: y, r: RADIUS, fill: rgb(ground) }),
    text(x, y + 5, value.toFixed(2), "middle", ink(ground)),
    text(x, y + RADIUS + 21, label),
  ];
}

// C_{t-1} -> × retained -> + written × candidate -> C_t, and what is shown of it
function conveyor({ state, values, shares, replaced }) {
  const [forget, add, tap] = [118, 228, 322];
  const { retained, written, shown } = shares;
  const parts = [
    line(70, TOP, forget - 13, TOP),
    line(forget + 13, TOP, add - 13, TOP),
    line(add + 13, TOP, WIDTH - 72, TOP),
    ...operator(forget, TOP, "×"),
    ...operator(add, TOP, "+"),
    ...operator(add, 106, "×"),
    line(forget, 134, forget, TOP + 13),
    line(add, 93, add, TOP + 13),
    line(190, 150, 219, 115),
    line(266, 150, 237, 115),
    ...share(retained, forget, 160),
    ...share(written, 184, 176),
    ...pill(272, 176, values.c, values.c, replaced.includes("c")),
    text(272, 176 + RADIUS + 21, indexed(`${state}\u0303`, "t")),
  ];
  if (!shown) return parts;
  return [
    ...parts,
    line(tap, TOP, tap, 88),
    ...box(tap, 102, "tanh"),
    line(tap, 116, tap, 163),
    ...operator(tap, 176, "×"),
    line(354, 176, tap + 13, 176),
    ...share(shown, 380, 176),
    line(tap, 189, tap, 214),
    ...pill(tap, 234, values.h, values.h, replaced.includes("h")),
    text(tap + 42, 239, indexed("h", "t"), "start"),
  ];
}

// the plain recurrence: no old state goes round the activation
function anew({ activation }) {
  const middle = WIDTH / 2;
  return [
    line(70, TOP, middle - 34, TOP),
    ...box(middle, TOP, activation),
    line(middle + 34, TOP, WIDTH - 72, TOP),
    line(middle, 108, middle, TOP + 16),
    text(middle, 126, [
      ...indexed("W x", "t", " + U h"),
      element("tspan", { dy: 4, "font-size": 10 }, "t−1"),
      element("tspan", { dy: -4 }, " + b"),
    ]),
  ];
}

// state: the name of what the cell carries along. values: of one unit, by the names of the
// equations, those one token before as "was_C". shares: the factors on the state's way, null where
// it is written anew. scale: the largest size of the unit's state in the text
function picture(data) {
  const { state, values, shares, token, scale } = data;
  const size = Math.max(scale, 1e-9);
  const was = values[`was_${state}`];
  let end = 152;
  if (shares) end = shares.shown ? 262 : 244;
  const shown = token.replaceAll(" ", "␣").replaceAll("\n", "↵");
  // its numbers, for who does not see it: "was_C = -0.04, f = 0.22, ..."
  const said = Object.entries(values).map(([name, value]) => `${name} = ${value.toFixed(2)}`).join(", ");
  const head = element("path", { d: "M0,0 L8,4 L0,8 z", fill: "currentColor" });
  const marker = {
    id: "tg-head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto",
  };
  return element(
    "svg",
    {
      class: "tg-cell",
      viewBox: `0 0 ${WIDTH} ${end}`,
      role: "img",
      "aria-label": said,
      "font-size": 14,
      fill: "currentColor",
    },
    element("defs", {}, element("marker", marker, head)),
    text(40, TOP - 24, indexed(state, "t−1")),
    ...pill(40, TOP, was, was / size),
    ...(shares ? conveyor(data) : anew(data)),
    text(WIDTH - 40, TOP - 24, indexed(state, "t")),
    ...pill(WIDTH - 40, TOP, values[state], values[state] / size),
    text(14, end - 4, indexed("x", "t", ` = ${shown}`), "start"),
  );
}

export default function ({ data, parentElement }) {
  parentElement.querySelector(".cell")?.remove();
  const place = document.createElement("div");
  place.className = "cell";
  place.append(picture(data));
  parentElement.append(place);
}
