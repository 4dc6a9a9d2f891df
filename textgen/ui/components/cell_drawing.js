// A step of a cell, drawn as the lessons draw it: above, the state on its way from left to right;
// below, x_t and h_{t-1} on their way to σ and tanh, with the numbers of one unit. Every part says
// to which values of the equations it belongs, so that they can be lit one after the other.
// All text is set with textContent, so that markup in it stays text.

const WIDTH = 480;
const RADIUS = 23;
// heights: the way of the state, the products on it, the gates, σ and tanh, the way of x_t and h_{t-1}
const [TOP, MEET, GATES, BOXES, BUS, INPUT] = [48, 104, 162, 232, 274, 318];
const [LEFT, RIGHT] = [44, WIDTH - 44];
const [FIRST_COLUMN, LAST_COLUMN, COLUMN] = [106, 412, 70];
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

// what belongs to these values, and to no other
const of = (values, ...parts) => element("g", { "data-of": values.join(" ") }, ...parts.flat(3));

const text = (x, y, content, anchor = "middle", fill = "currentColor") =>
  element("text", { x, y, "text-anchor": anchor, fill }, ...[content].flat());

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

// points: x, y, x, y ...
const way = (points, attributes = {}) =>
  element("polyline", { points: points.join(" "), class: "way", ...OUTLINE, ...attributes });

const arrow = (...points) => way(points, { "marker-end": "url(#tg-head)" });

const operator = (x, y, sign) => [element("circle", { cx: x, cy: y, r: 12, ...OUTLINE }), text(x, y + 5, sign)];

const box = (x, y, word) => [
  element("rect", { x: x - 26, y: y - 13, width: 52, height: 26, rx: 5, ...OUTLINE }),
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

function circle(x, value, ring) {
  const ground = colour(CIVIDIS, value);
  return [
    ...(ring ? [element("circle", { cx: x, cy: GATES, r: RADIUS + 4, ...OUTLINE })] : []),
    element("circle", { cx: x, cy: GATES, r: RADIUS, fill: rgb(ground) }),
    text(x, GATES + 5, value.toFixed(2), "middle", ink(ground)),
  ];
}

// σ, tanh or nothing: what an equation takes of the sum of its inputs
function functionOf({ symbols }, activation) {
  if (symbols.startsWith("\\sigma")) return "σ";
  if (symbols.startsWith("\\varphi")) return activation;
  if (symbols.startsWith("e^")) return "exp";
  return symbols.startsWith("\\tanh") ? "tanh" : "";
}

// Where the values stand, from left to right: what retains the state, other gates, what writes, the
// candidate, what shows. A factor that is made of gates (1 − z) stands in the place of a gate.
function columns({ values, shares, replaced }, equations) {
  const gates = equations.map(({ value }) => value)
    .filter((name) => name !== "c" && `${name}_x` in values);
  const inShares = Object.values(shares).flatMap((share) => share?.gates ?? []);
  const made = (share, role) => {
    const gate = share.label === share.gates[0];
    return {
      role,
      label: share.label,
      value: share.value,
      ring: share.gates.some((name) => replaced.includes(name)),
      block: gate || share.label.startsWith(`${share.gates[0]} /`) ? share.gates[0] : null,
      from: gate ? null : share.gates.at(-1),
    };
  };
  const others = gates.filter((name) => !inShares.includes(name)).map((name) => ({
    role: "other", label: name, value: values[name], ring: replaced.includes(name), block: name,
  }));
  const placed = [
    made(shares.retained, "retained"),
    made(shares.written, "written"),
    ...others,
    { role: "candidate", block: "c" },
    ...(shares.shown ? [made(shares.shown, "shown")] : []),
  ];
  const apart = Math.min(COLUMN, (LAST_COLUMN - FIRST_COLUMN) / placed.length);
  placed.forEach((column, k) => { column.x = FIRST_COLUMN + apart * k; });
  return placed;
}

// h_{t-1} and x_t, on their way to where they are summed
function inputs({ state, values }, blocks, shownToken) {
  const reading = blocks.filter(({ block }) => `${block}_h` in values).map(({ block }) => block);
  const all = blocks.map(({ block }) => block);
  const parts = [
    of(all, text(LEFT + 54, INPUT + 5, indexed("x", "t", ` = ${shownToken}`), "start"),
      way([LEFT + 44, INPUT, LEFT + 44, BUS])),
  ];
  if (!reading.length) return parts;
  if (state === "h") return [...parts, of(reading, way([LEFT, TOP + 14, LEFT, BUS, LEFT + 44, BUS]))];
  return [
    ...parts,
    of(reading, way([LEFT + 30, BUS, LEFT + 44, BUS]), pill(LEFT, BUS, values.was_h, values.was_h),
      text(LEFT, BUS - 20, indexed("h", "t−1"))),
  ];
}

// the way along the bottom and up to each σ and tanh, and on to its value
function summed({ values, activation }, blocks, equations) {
  return blocks.flatMap(({ x, block, role, label }, k) => {
    const word = functionOf(equations.find(({ value }) => value === block) ?? { symbols: "" }, activation);
    const after = blocks.slice(k).map((later) => later.block);
    const begin = k ? blocks[k - 1].x : LEFT + 44;
    const beside = role === "candidate" ? "" : block;
    return [
      of(after, way([begin, BUS, x, BUS])),
      of([block],
        word ? [way([x, BUS, x, BOXES + 13]), box(x, BOXES, word), arrow(x, BOXES - 13, x, GATES + RADIUS + 2)]
          : arrow(x, BUS, x, GATES + RADIUS + 2),
        beside && label !== block ? [] : text(x + 8, BOXES - 22, beside, "start"),
        // a peephole: the gate reads the cell state
        `${block}_C` in values
          ? way([x - 32, TOP, x - 32, BOXES, x - 26, BOXES], { "stroke-dasharray": "3 3" }) : []),
    ];
  });
}

// was -> × retained -> + written × candidate -> now, and what is shown of it
function conveyor(data, equations, shownToken) {
  const { state, values, replaced } = data;
  const placed = columns(data, equations);
  const find = (role) => placed.find((column) => column.role === role);
  const [retained, written, candidate, shown] = ["retained", "written", "candidate", "shown"].map(find);
  const blocks = placed.filter(({ block }) => block);
  const add = (written.x + candidate.x) / 2;
  const end = shown ? LAST_COLUMN : WIDTH;
  const mixes = [state];
  const factors = placed.filter(({ role }) => role !== "candidate").map((column) => {
    const names = column.block && !column.from ? [column.block] : [state];
    const neighbour = column.from && placed.find(({ block, label }) => block === column.from && label === column.from);
    const side = neighbour && (neighbour.x < column.x ? 1 : -1);
    return [
      of(names, circle(column.x, column.value, column.ring)),
      column.from ? of(mixes, text(column.x, GATES + RADIUS + 16, column.label),
        neighbour ? arrow(neighbour.x + side * (RADIUS + 1), GATES, column.x - side * (RADIUS + 3), GATES) : []) : [],
    ].flat();
  });
  const other = find("other");
  const symbolsOf = (name) => equations.find(({ value }) => value === name).symbols;
  const beforeCandidate = other && symbolsOf("c").includes(`${other.label}_t`);
  return [
    ...inputs(data, blocks, shownToken),
    ...summed(data, blocks, equations),
    ...factors.flat(),
    of(["c"], pill(candidate.x, GATES, values.c, values.c, replaced.includes("c")),
      text(candidate.x + 8, BOXES - 22, indexed(`${state}\u0303`, "t"), "start")),
    // the reset gate stands before what the candidate sees of h; another gate before what is written
    beforeCandidate
      ? of(["c"], arrow(other.x + RADIUS - 4, GATES + RADIUS - 6, candidate.x - 20, BOXES - 15),
        text((other.x + candidate.x) / 2 - 8, (GATES + BOXES) / 2 + 16, "×"))
      : other ? of([written.label], arrow(other.x - RADIUS - 1, GATES, written.x + RADIUS + 3, GATES)) : [],
    of(mixes,
      way([LEFT + 32, TOP, retained.x - 13, TOP]), operator(retained.x, TOP, "×"),
      way([retained.x + 13, TOP, add - 13, TOP]), operator(add, TOP, "+"),
      arrow(add + 13, TOP, RIGHT - 34, TOP),
      arrow(retained.x, GATES - RADIUS, retained.x, TOP + 14),
      way([written.x + 10, GATES - 21, add - 10, MEET + 8]),
      way([candidate.x - 8, GATES - 14, add + 10, MEET + 8]),
      operator(add, MEET, "×"), arrow(add, MEET - 12, add, TOP + 14)),
    ...(shown ? [of(["h"],
      ...(symbolsOf("h").includes("\\tanh")
        ? [way([end, TOP, end, MEET - 13]), box(end, MEET, "tanh"), way([end, MEET + 13, end, GATES - 13])]
        : [way([end, TOP, end, GATES - 13])]),
      arrow(shown.x + RADIUS, GATES, end - 14, GATES), operator(end, GATES, "×"),
      arrow(end, GATES + 12, end, BOXES - 16),
      pill(end, BOXES, values.h, values.h, replaced.includes("h")),
      text(end, BOXES + 34, indexed("h", "t")))] : []),
  ].flat();
}

// the plain recurrence: no old state goes round the activation
function anew(data, equations, shownToken) {
  const { activation } = data;
  const middle = WIDTH / 2;
  return [
    of(["h"],
      text(LEFT + 54, INPUT + 5, indexed("x", "t", ` = ${shownToken}`), "start"),
      way([LEFT + 44, INPUT, LEFT + 44, BUS]),
      way([LEFT, TOP + 14, LEFT, BUS, middle, BUS, middle, GATES + 13]),
      box(middle, GATES, activation),
      arrow(middle, GATES - 13, middle, TOP, RIGHT - 34, TOP),
      text(middle + 10, BOXES, [
        ...indexed("W x", "t", " + U h"),
        element("tspan", { dy: 4, "font-size": 10 }, "t−1"),
        element("tspan", { dy: -4 }, " + b"),
      ], "start")),
  ];
}

// state: the name of what the cell carries along. values: of one unit, by the names of the
// equations, those one token before as "was_C", summands as "f_x". shares: the factors on the
// state's way, null where it is written anew. equations: by their headings. scale: the largest size
// of the unit's state in the text
function picture(data) {
  const { state, values, shares, token, scale, replaced } = data;
  const size = Math.max(scale, 1e-9);
  const equations = Object.values(data.equations).flat();
  const shown = token.replaceAll(" ", "␣").replaceAll("\n", "↵");
  const was = values[`was_${state}`];
  // its numbers, for who does not see it: "was_C = -0.04, f = 0.22, ..."
  const said = Object.entries(values).filter(([name]) => !/_[xhb]/.test(name))
    .map(([name, value]) => `${name} = ${value.toFixed(2)}`).join(", ");
  const head = (id) => element(
    "marker",
    { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9, orient: "auto",
      markerUnits: "userSpaceOnUse" },
    element("path", { d: "M0,0 L8,4 L0,8 z", fill: "currentColor" }));
  const lit = element("g", { class: "lit" }, head("tg-head-lit"));
  return element(
    "svg",
    {
      class: "tg-cell",
      viewBox: `0 0 ${WIDTH} ${INPUT + 14}`,
      role: "img",
      "aria-label": said,
      "font-size": 14,
      fill: "currentColor",
    },
    element("defs", {}, head("tg-head"), lit),
    ...(shares ? conveyor : anew)(data, equations, shown),
    of(equations.map(({ value }) => value).filter((name) => name === state || `${name}_${state}` in values),
      text(LEFT, TOP - 24, indexed(state, "t−1")), pill(LEFT, TOP, was, was / size)),
    of([state], text(RIGHT, TOP - 24, indexed(state, "t")),
      pill(RIGHT, TOP, values[state], values[state] / size, replaced.includes(state))),
  );
}
