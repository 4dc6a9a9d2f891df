// The tab Gates: every unit at every token of what was written, and all values of one unit.

const SATURATED = 3; // where tanh is nearly 1

class GatesTab {
  constructor(page) {
    this.page = page;
    this.value = page.cell.gates[0] ?? "h";
    this.sort = "peak";
  }

  element() {
    const { page } = this;
    const { cell } = page;
    const names = [...cell.gates, ...cell.values.filter((name) => !cell.gates.includes(name))];
    const again = (change) => (name) => { change(name); page.draw(); };
    const sorts = shares ? ["peak", "time", "number"] : ["peak", "number"];
    const sortWord = (name) => (name === "number" ? t("page.number") : t(`gates_sort.${name}`));
    return make("div", {},
      make("div", { class: "controls" },
        choice(t("gates.value"), names, this.value, (name) => symbol(cell, name), again((name) => { this.value = name; })),
        choice(t("gates.sort"), sorts, this.sort, sortWord, again((name) => { this.sort = name; })),
        ...page.layerChoice()),
      this.heatMap(),
      this.oneUnit());
  }

  heatMap() {
    const { page } = this;
    const { course, tokens, size } = page.traced();
    const all = course[this.value];
    const order = this.order(course, tokens.length, size);
    const values = new Array(size * tokens.length);
    order.forEach((unit, row) => {
      for (let token = 0; token < tokens.length; token += 1) {
        values[row * tokens.length + token] = rounded(all[token * size + unit]);
      }
    });
    return page.figure("heat-map", {
      rows: order.map(String),
      values,
      scales: [scaleOf(page.cell, this.value, all)],
      scale_of: order.map(() => 0),
      title: t("gates.map", { name: symbol(page.cell, this.value) }),
      value_word: symbol(page.cell, this.value),
      row_word: t("step.unit"),
      pinned: { row: String(page.unit()), token: page.token },
      matrix: true, strip: true, legend: true,
    });
  }

  // the units, in the order of the chosen sort
  order(course, length, size) {
    const units = Array.from({ length: size }, (_, unit) => unit);
    if (this.sort === "number") return units;
    const keys = this.sort === "peak"
      ? units.map((unit) => peakOf(course[this.value], unit, length, size))
      : units.map((unit) => -timeScale(course, unit, length, size));
    return units.sort((a, b) => keys[a] - keys[b]);
  }

  oneUnit() {
    const { page } = this;
    const { cell } = page;
    const { course, tokens, size } = page.traced();
    const unit = page.unit();
    const names = cell.values;
    const values = names.flatMap((name) => tokens.map((_, token) => rounded(course[name][token * size + unit])));
    const ungated = names.flatMap((name) => (cell.gates.includes(name) ? []
      : tokens.map((_, token) => course[name][token * size + unit])));
    const end = Math.min(scaleEnd(ungated), SATURATED);
    const signed = { kind: "signed", title: t("gates.signed", { limit: short(end) }), end, begin: 0 };
    const share = { kind: "share", title: t("gates.share"), end: 1, begin: 0 };
    const scales = cell.gates.length ? [share, signed] : [signed];
    return page.figure("one-unit", {
      rows: names.map((name) => symbol(cell, name)),
      values,
      scales,
      scale_of: names.map((name) => (cell.gates.includes(name) ? 0 : scales.length - 1)),
      title: t("gates.one", { unit }),
      value_word: "",
      row_word: "",
      pinned: { row: null, token: page.token },
      matrix: true, strip: false, legend: true,
    }, { keepsUnit: true });
  }
}

// the candidate is written as what it may become
const symbol = (cell, name) => (name === "c" ? `${cell.carried}\u0303` : name);
const rounded = (value) => Math.round(value * 1e4) / 1e4;
const short = (value) => String(Number(value.toPrecision(2)));

function scaleEnd(values) {
  let most = 0.01;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return Number(most.toPrecision(2));
}

// a gate from 0 to 1, anything else about zero; C only as far as tanh(C) still grows
function scaleOf(cell, name, values) {
  if (cell.gates.includes(name)) return { kind: "share", title: t("gates.share"), end: 1, begin: 0 };
  const end = scaleEnd(values);
  if (name === "C" && end > SATURATED) {
    return { kind: "signed", title: t("gates.clipped", { limit: SATURATED }), end: SATURATED, begin: 0 };
  }
  return { kind: "signed", title: symbol(cell, name), end, begin: 0 };
}

function peakOf(course, unit, length, size) {
  let best = 0;
  for (let token = 1; token < length; token += 1) {
    if (Math.abs(course[token * size + unit]) > Math.abs(course[best * size + unit])) best = token;
  }
  return best;
}

// how long a unit remembers, in tokens: -1 / ln of the share of its state that stays, on average
function timeScale(course, unit, length, size) {
  let sum = 0;
  for (let token = 0; token < length; token += 1) {
    const values = Object.fromEntries(
      Object.entries(course).map(([name, numbers]) => [name, numbers[token * size + unit]]));
    sum += shares(values).retained.value;
  }
  return 1 / Math.abs(Math.log(sum / length));
}
