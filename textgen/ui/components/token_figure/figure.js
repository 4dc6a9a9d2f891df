// A text and what its tokens make of many units: a canvas of units x tokens, and the tokens
// themselves, coloured by one unit. Hover stays here; a pin or a brushed span goes to Python.
// All text is set with textContent, so that markup in it stays text.

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

class Figure {
  constructor(parent) {
    this.parent = parent;
    this.zoom = 1;
    this.root = make("div", "figure");
    new ResizeObserver(() => this.resize()).observe(this.root);
    // the theme lives in the page's own variables
    this.host = parent.host ?? parent;
    const themes = new MutationObserver(() => this.restyle());
    const { documentElement, body } = document;
    for (const element of [this.host, this.host.parentElement, documentElement, body]) {
      if (element) themes.observe(element, { attributeFilter: ["style", "class"] });
    }
  }

  // --- what comes from Python ---------------------------------------------------------------

  update(data, tell) {
    this.tell = tell;
    const text = JSON.stringify(data);
    if (text === this.before) return; // as it was: keep what the reader is looking at
    this.before = text;
    const parts = [this.matrix?.element, this.strip?.element];
    const places = parts.map((part) => [part?.scrollLeft ?? 0, part?.scrollTop ?? 0]);
    const focused = parts.findIndex((part) => part && part === this.parent.activeElement);
    this.data = data;
    // as base64 from Python, or as they are
    this.values = typeof data.values === "string" ? decode(data.values) : data.values;
    // the row that is pinned, and the token; -1: none
    this.pin = { row: data.rows.indexOf(data.pinned.row), token: data.pinned.token ?? -1 };
    // what the pointer or the keys are at; row -1: the text, not one of the rows
    this.hover = null;
    this.build();
    this.restyle();
    [this.matrix?.element, this.strip?.element].forEach((part, k) => {
      if (!part) return;
      [part.scrollLeft, part.scrollTop] = places[k];
      if (k === focused) part.focus({ preventScroll: true });
    });
  }

  build() {
    const { data } = this;
    this.matrix = data.matrix ? new Matrix(this) : null;
    this.strip = data.strip ? new Strip(this) : null;
    this.readout = make("p", "readout");
    this.live = make("div", "live");
    this.live.setAttribute("aria-live", "polite");
    this.tip = make("div", "tip");
    this.tip.hidden = true;
    this.tip.setAttribute("aria-hidden", "true");
    const parts = [this.matrix?.element, this.strip?.element].filter((part) => part);
    this.root.replaceChildren(this.bar(), ...parts, this.readout, this.live, this.tip);
  }

  // title, legends, buttons
  bar() {
    const { data } = this;
    const bar = make("div", "bar");
    bar.append(make("strong", "", data.title));
    this.legends = (data.legend ? [...new Set(data.scale_of)] : []).map((number) => {
      const legend = make("div", "legend");
      legend.append(make("small", "", data.scales[number].title), make("i"), make("div"));
      bar.append(legend);
      return [legend, data.scales[number]];
    });
    const tools = make("div", "tools");
    const button = (text, label, action) => {
      const made = make("button", "", text);
      made.setAttribute("aria-label", label);
      made.title = label;
      made.onclick = action;
      tools.append(made);
    };
    if (data.matrix) {
      button("−", data.labels.smaller, () => this.magnify(1 / 1.5));
      button("+", data.labels.larger, () => this.magnify(1.5));
    }
    button("PNG", `PNG, ${data.title}`, () => save(this, "png"));
    button("SVG", `SVG, ${data.title}`, () => save(this, "svg"));
    bar.append(tools);
    return bar;
  }

  // --- what is looked at --------------------------------------------------------------------

  // the row that colours the text: the one pointed at, else the one pinned, else the first
  row() {
    if (this.hover && this.hover.row >= 0) return this.hover.row;
    return Math.max(this.pin.row, 0);
  }

  value(row, token) {
    return this.values[row * this.data.tokens.length + token];
  }

  scale(row) {
    return this.data.scales[this.data.scale_of[row]];
  }

  colour(row, token) {
    return colourOf(this.scale(row), this.value(row, token), this.theme);
  }

  say({ row, token }) {
    const { labels, rows, tokens, row_word: word, value_word: name } = this.data;
    const at = row < 0 ? this.row() : row;
    const unit = rows.length > 1 ? `${word} ${rows[at]} · `.trimStart() : "";
    const value = numeral(this.scale(at), this.value(at, token));
    return `${unit}${labels.token} ${token} ‘${visible(tokens[token])}’ · ${name} ${value}`;
  }

  point(cell, event) {
    this.hover = cell;
    this.tip.hidden = !(cell && event);
    if (!this.tip.hidden) {
      this.tip.textContent = this.say(cell);
      const { width, height } = this.tip.getBoundingClientRect();
      const above = event.clientY - height - 12;
      this.tip.style.left = `${clamp(event.clientX + 12, 4, window.innerWidth - width - 4)}px`;
      this.tip.style.top = `${above > 0 ? above : event.clientY + 18}px`;
    }
    this.repaint();
  }

  // moves by keys: also said aloud, and brought into sight
  go(cell) {
    this.point(cell);
    this.live.textContent = this.say(cell);
    (cell.row < 0 ? this.strip : this.matrix).bringIntoSight(cell);
  }

  setPin(row, token) {
    this.pin = { row, token };
    this.live.textContent = token >= 0 ? this.say(this.pin) : "";
    this.repaint();
    this.tell("pin", { row: this.data.rows[row] ?? null, token: token >= 0 ? token : null });
  }

  // --- how it looks -------------------------------------------------------------------------

  restyle() {
    if (!this.data) return;
    const style = getComputedStyle(this.host);
    const ground = rgb(style.getPropertyValue("--st-background-color") || "#ffffff");
    this.theme = {
      ground, name: luminance(ground) > 0.18 ? "light" : "dark", font: style.fontFamily,
      ink: style.getPropertyValue("--st-text-color") || "#222222",
    };
    for (const [legend, scale] of this.legends) {
      const [, ramp, numbers] = legend.children;
      const stops = Array.from({ length: 33 }, (_, k) => legendColour(scale, k / 32, this.theme));
      ramp.style.background = `linear-gradient(90deg, ${stops.map(css).join(",")})`;
      const ticks = ticksOf(scale);
      numbers.replaceChildren(...ticks.map((tick, k) => {
        const number = make("span", "", short(scale, tick));
        number.style.left = `${(k / (ticks.length - 1)) * 100}%`;
        return number;
      }));
    }
    if (this.strip) this.strip.painted = null;
    this.resize();
  }

  magnify(times) {
    this.zoom = clamp(this.zoom * times, 1, 8);
    this.resize();
  }

  resize() {
    if (!this.data) return;
    this.matrix?.resize(this.root.clientWidth, this.zoom);
    this.repaint();
  }

  repaint() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = null;
      if (!this.root.isConnected) return;
      this.matrix?.paint();
      this.strip?.paint();
      const shown = this.hover ?? (this.pin.token >= 0 ? this.pin : null);
      const hint = this.data.legend && this.strip ? this.data.labels.hint : ""; // told once a page
      this.readout.classList.toggle("quiet", !shown);
      this.readout.textContent = shown ? this.say(shown) : hint;
    });
  }
}

const figures = new WeakMap(); // one for each place of a page, over all its runs

export default function ({ data, parentElement, setTriggerValue }) {
  if (!figures.has(parentElement)) figures.set(parentElement, new Figure(parentElement));
  const figure = figures.get(parentElement);
  if (!figure.root.isConnected) parentElement.append(figure.root);
  figure.update(data, setTriggerValue);
}
