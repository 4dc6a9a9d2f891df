// A text and what its tokens make of many units: a canvas of units x tokens, and the tokens
// themselves, coloured by one unit. Hover stays here; a pin or a brushed span goes to Python.
// All text is set with textContent, so that markup in it stays text.

const GUTTER = 44; // px for the names of rows
const AXIS = 34; // px for the numbers of tokens
const TALLEST = 420;
const SMALLEST = 3; // px of a cell
const LARGEST = 22;
const FAR = 10; // cells that Shift moves at once

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

const visible = (text) => text.replaceAll(" ", "␣").replaceAll("\n", "↵").replaceAll("\t", "⇥");

class Figure {
  constructor(parent) {
    this.parent = parent;
    this.zoom = 1;
    this.hover = null; // {row, token} under the pointer or the keys; row -1: the text's own
    this.root = make("div", "figure");
    parent.append(this.root);
    this.sight = new ResizeObserver(() => this.resize());
    this.sight.observe(this.root);
    // the theme lives in the page's own variables
    this.schemes = new MutationObserver(() => this.restyle());
    const host = parent.host ?? parent;
    for (const element of [host, host.parentElement, document.documentElement, document.body]) {
      if (element) this.schemes.observe(element, { attributeFilter: ["style", "class"] });
    }
  }

  remove() {
    this.sight.disconnect();
    this.schemes.disconnect();
    this.root.remove();
  }

  // --- what comes from Python ---------------------------------------------------------------

  update(data, tell) {
    this.tell = tell;
    const text = JSON.stringify(data);
    if (text === this.before) return; // as it was: keep what the reader is looking at
    this.before = text;
    this.data = data;
    this.values = decode(data.values);
    this.pin = { row: data.rows.indexOf(data.pinned.row), token: data.pinned.token ?? -1 };
    this.hover = null;
    const place = [this.scroll?.scrollLeft, this.scroll?.scrollTop, this.strip?.scrollTop];
    const focused = this.scroll && this.parent.activeElement === this.scroll ? "scroll"
      : this.strip && this.parent.activeElement === this.strip ? "strip" : null;
    this.build();
    this.restyle();
    if (this.scroll) [this.scroll.scrollLeft, this.scroll.scrollTop] = [place[0] ?? 0, place[1] ?? 0];
    if (this.strip) this.strip.scrollTop = place[2] ?? 0;
    if (focused) this[focused]?.focus({ preventScroll: true });
  }

  build() {
    const { data } = this;
    const { labels } = data;
    this.root.replaceChildren();
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
      button("−", labels.smaller, () => this.magnify(1 / 1.5));
      button("+", labels.larger, () => this.magnify(1.5));
    }
    button("PNG", `PNG, ${data.title}`, () => save(this, "png"));
    button("SVG", `SVG, ${data.title}`, () => save(this, "svg"));
    bar.append(tools);
    this.root.append(bar);
    this.scroll = this.strip = null;
    if (data.matrix) this.buildMatrix();
    if (data.strip) this.buildStrip();
    this.readout = make("p", "readout");
    this.live = make("div", "live");
    this.live.setAttribute("aria-live", "polite");
    this.tip = make("div", "tip");
    this.tip.hidden = true;
    this.tip.setAttribute("aria-hidden", "true");
    this.root.append(this.readout, this.live, this.tip);
  }

  buildMatrix() {
    const { data } = this;
    this.scroll = make("div", "scroll");
    this.scroll.tabIndex = 0;
    this.scroll.setAttribute("role", "application");
    this.scroll.setAttribute("aria-label", `${data.title}. ${data.labels.keys}`);
    this.space = make("div");
    this.canvas = make("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", data.title);
    this.space.append(this.canvas);
    this.scroll.append(this.space);
    this.scroll.onscroll = () => this.repaint();
    this.scroll.onpointermove = (event) => this.point(this.cellAt(event), event);
    this.scroll.onpointerleave = () => this.point(null);
    this.scroll.onclick = (event) => {
      const cell = this.cellAt(event);
      if (cell) this.setPin(cell.row, cell.token);
    };
    this.scroll.onkeydown = (event) => this.keyOnMatrix(event);
    this.scroll.onblur = () => this.point(null);
    this.root.append(this.scroll);
  }

  buildStrip() {
    const { data } = this;
    this.strip = make("div", "strip");
    this.strip.tabIndex = 0;
    this.strip.setAttribute("role", "listbox");
    this.strip.setAttribute("aria-label", `${data.title}. ${data.labels.text_keys}`);
    this.spans = data.tokens.map((text, token) => {
      const span = make("span", "", text);
      span.id = `token-${token}`;
      span.setAttribute("role", "option");
      return span;
    });
    this.strip.append(...this.spans, make("i", "", data.rest));
    const tokenOf = (event) => this.spans.indexOf(event.target);
    let from = -1;
    this.strip.onpointerdown = (event) => {
      from = data.brush && event.pointerType !== "touch" ? tokenOf(event) : -1;
      if (from >= 0) event.preventDefault(); // a span is being brushed, no text selected
      if (from >= 0) this.strip.focus({ preventScroll: true });
    };
    this.strip.onpointermove = (event) => {
      const token = tokenOf(event);
      if (token < 0) return this.point(null);
      if (from >= 0 && event.buttons) this.markSpan([from, token]);
      this.point({ row: -1, token }, event);
    };
    this.strip.onpointerleave = () => this.point(null);
    this.strip.onpointerup = (event) => {
      const token = tokenOf(event);
      if (from >= 0 && token >= 0 && token !== from) this.sendSpan([from, token]);
      else if (token >= 0) this.setPin(this.pin.row, token);
      from = -1;
    };
    this.strip.onkeydown = (event) => this.keyOnStrip(event);
    this.strip.onblur = () => this.point(null);
    this.root.append(this.strip);
    if (data.brush) this.markSpan(data.brush);
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
    return this.data.scales[this.data.scale_of[row] ?? this.data.scale_of[0]];
  }

  colour(row, token) {
    return colourOf(this.scale(row), this.value(row, token), this.theme);
  }

  say(row, token) {
    const { labels, rows, tokens, row_word } = this.data;
    const unit = this.data.rows.length > 1 ? `${row_word} ${rows[row]} · `.trimStart() : "";
    const value = told(this.scale(row), this.value(row, token));
    return `${unit}${labels.token} ${token} ‘${visible(tokens[token])}’ · ${this.data.value_word} ${value}`;
  }

  point(cell, event) {
    this.hover = cell;
    this.tip.hidden = !(cell && event);
    if (!this.tip.hidden) {
      this.tip.textContent = this.say(cell.row < 0 ? this.row() : cell.row, cell.token);
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
    this.live.textContent = this.say(cell.row < 0 ? this.row() : cell.row, cell.token);
    if (cell.row < 0) {
      this.strip.setAttribute("aria-activedescendant", `token-${cell.token}`);
      const span = this.spans[cell.token];
      const { scrollTop, clientHeight } = this.strip;
      const low = span.offsetTop + span.offsetHeight + 8 - clientHeight;
      this.strip.scrollTop = clamp(scrollTop, low, Math.max(low, span.offsetTop - 8));
      return;
    }
    const { scroll, cell: [wide, high] } = this;
    const fit = (now, at, size, room) => clamp(now, at + size - room, at);
    scroll.scrollLeft = fit(scroll.scrollLeft, cell.token * wide, wide, scroll.clientWidth - GUTTER);
    scroll.scrollTop = fit(scroll.scrollTop, cell.row * high, high, scroll.clientHeight - AXIS);
  }

  setPin(row, token) {
    this.pin = { row, token };
    this.live.textContent = token >= 0 ? this.say(Math.max(row, 0), token) : "";
    this.repaint();
    this.tell("pin", { row: this.data.rows[row] ?? null, token: token >= 0 ? token : null });
  }

  markSpan(span) {
    this.brushed = [Math.min(...span), Math.max(...span)];
    const [from, to] = this.brushed;
    this.spans.forEach((each, k) => each.classList.toggle("span", from <= k && k <= to));
  }

  sendSpan(span) {
    this.markSpan(span);
    this.tell("span", this.brushed);
  }

  keyOnMatrix(event) {
    const { rows, tokens } = this.data;
    const step = event.shiftKey ? FAR : 1;
    const now = this.hover ?? { row: Math.max(this.pin.row, 0), token: Math.max(this.pin.token, 0) };
    const cell = { row: Math.max(now.row, 0), token: now.token };
    const moves = {
      ArrowRight: [0, step], ArrowLeft: [0, -step], ArrowDown: [step, 0], ArrowUp: [-step, 0],
      PageDown: [FAR, 0], PageUp: [-FAR, 0], Home: [0, -tokens.length], End: [0, tokens.length],
    };
    if (event.key in moves) {
      const [down, right] = moves[event.key];
      this.go({
        row: clamp(cell.row + down, 0, rows.length - 1),
        token: clamp(cell.token + right, 0, tokens.length - 1),
      });
    } else if (event.key === "Enter" || event.key === " ") this.setPin(cell.row, cell.token);
    else if (event.key === "Escape") this.setPin(-1, -1);
    else return;
    event.preventDefault();
  }

  keyOnStrip(event) {
    const last = this.data.tokens.length - 1;
    const now = this.hover?.token ?? Math.max(this.pin.token, 0);
    const moves = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last };
    if (event.key === "ArrowDown") moves.ArrowDown = this.below(now, 1);
    if (event.key === "ArrowUp") moves.ArrowUp = this.below(now, -1);
    const token = clamp(moves[event.key] ?? now, 0, last);
    if (event.key in moves) {
      if (this.data.brush && event.shiftKey) {
        this.anchor ??= now;
        this.markSpan([this.anchor, token]);
      } else this.anchor = undefined;
      this.go({ row: -1, token });
    } else if (event.key === "Enter" || event.key === " ") {
      if (this.anchor !== undefined) this.sendSpan(this.brushed);
      else this.setPin(this.pin.row, now);
      this.anchor = undefined;
    } else if (event.key === "Escape") this.setPin(-1, -1);
    else return;
    event.preventDefault();
  }

  // the token under (or, for -1, above) another one
  below(token, direction) {
    const start = this.spans[token];
    let [best, least] = [token, Infinity];
    for (let k = token; this.spans[k]; k += direction) {
      const down = Math.abs(this.spans[k].offsetTop - start.offsetTop);
      if (down > start.offsetHeight * 1.8) break;
      const aside = Math.abs(this.spans[k].offsetLeft - start.offsetLeft);
      if (down > 4 && aside < least) [best, least] = [k, aside];
    }
    return best;
  }

  // --- how it looks -------------------------------------------------------------------------

  restyle() {
    if (!this.data) return;
    const style = getComputedStyle(this.parent.host ?? this.parent);
    const ground = rgb(style.getPropertyValue("--st-background-color") || "#ffffff");
    this.theme = {
      ground, name: luminance(ground) > 0.18 ? "light" : "dark", font: style.fontFamily,
      ink: style.getPropertyValue("--st-text-color") || "#222",
    };
    for (const [legend, scale] of this.legends) {
      const [, ramp, numbers] = legend.children;
      const stops = Array.from({ length: 33 }, (_, k) => css(legendColour(scale, k / 32, this.theme)));
      ramp.style.background = `linear-gradient(90deg, ${stops.join(",")})`;
      const ticks = ticksOf(scale);
      numbers.replaceChildren(...ticks.map((tick, k) => {
        const number = make("span", "", short(scale, tick));
        number.style.left = `${(k / (ticks.length - 1)) * 100}%`;
        return number;
      }));
    }
    this.painted = null;
    this.resize();
  }

  magnify(times) {
    this.zoom = clamp(this.zoom * times, 1, 8);
    this.resize();
  }

  resize() {
    if (!this.data) return;
    if (this.scroll) {
      const { rows, tokens } = this.data;
      const wide = Math.max((this.root.clientWidth - GUTTER - 2) / tokens.length, SMALLEST);
      const high = clamp((TALLEST - AXIS) / rows.length, SMALLEST, LARGEST);
      this.cell = [Math.min(wide, 4 * LARGEST) * this.zoom, high * (rows.length > 8 ? this.zoom : 1)];
      const full = [GUTTER + tokens.length * this.cell[0], rows.length * this.cell[1] + AXIS];
      this.scroll.style.height = `${Math.min(full[1], TALLEST) + 2}px`;
      this.space.style.width = `${Math.floor(full[0])}px`;
      this.space.style.height = `${Math.floor(full[1])}px`;
    }
    this.repaint();
  }

  repaint() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = null;
      if (!this.root.isConnected || !this.theme) return;
      if (this.scroll) this.paint();
      if (this.strip) this.tint();
      const shown = this.hover ?? (this.pin.token >= 0 ? this.pin : null);
      const row = shown && shown.row >= 0 ? shown.row : this.row();
      this.readout.classList.toggle("quiet", !shown);
      this.readout.textContent = shown
        ? this.say(row, shown.token)
        : this.data.legend ? this.data.labels.hint : "";
    });
  }

  cellAt(event) {
    const box = this.scroll.getBoundingClientRect();
    const x = event.clientX - box.left - this.scroll.clientLeft;
    const y = event.clientY - box.top - this.scroll.clientTop;
    if (x < GUTTER || y > this.scroll.clientHeight - AXIS) return null;
    const token = Math.floor((x - GUTTER + this.scroll.scrollLeft) / this.cell[0]);
    const row = Math.floor((y + this.scroll.scrollTop) / this.cell[1]);
    const { rows, tokens } = this.data;
    return row < rows.length && token < tokens.length ? { row, token } : null;
  }

  // only what is in sight
  paint() {
    const { rows, tokens, marks } = this.data;
    const { clientWidth: width, clientHeight: height, scrollLeft, scrollTop } = this.scroll;
    const dense = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * dense) || this.canvas.height !== Math.round(height * dense)) {
      this.canvas.width = Math.round(width * dense);
      this.canvas.height = Math.round(height * dense);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    const [wide, high] = this.cell;
    const bottom = height - AXIS;
    const x = (token) => GUTTER + token * wide - scrollLeft;
    const y = (row) => row * high - scrollTop;
    const seen = (from, room, size, number) => ({
      from: Math.floor(from / size), to: Math.min(Math.ceil((from + room) / size), number),
    });
    const columns = seen(scrollLeft, width - GUTTER, wide, tokens.length);
    const lines = seen(scrollTop, bottom, high, rows.length);
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER, 0, width - GUTTER, bottom);
    pen.clip();
    pen.imageSmoothingEnabled = false;
    const picture = pixels(this, lines, columns);
    pen.drawImage(picture, x(columns.from), y(lines.from), picture.width * wide, picture.height * high);
    // two colours, so that it stands out from any ground
    const outline = (left, top, across, down, dash) => {
      for (const [stroke, line] of [["#fff", 3], ["#000", 1]]) {
        pen.strokeStyle = stroke;
        pen.lineWidth = line;
        pen.setLineDash(dash);
        pen.strokeRect(left, top, across, down);
      }
    };
    for (const mark of marks) outline(x(mark.token + 1), -9, 0, height + 18, [4, 4]);
    for (const [cell, dash] of [[this.pin, []], [this.hover, [3, 3]]]) {
      if (cell && cell.row >= 0) outline(-9, y(cell.row), width + 18, high, dash);
      if (cell && cell.token >= 0) outline(x(cell.token), -9, wide, height + 18, dash);
    }
    pen.restore();
    pen.fillStyle = this.theme.ink;
    pen.font = `11px ${this.theme.font}`;
    pen.textAlign = "right";
    const every = Math.ceil(13 / high);
    for (let row = lines.from - (lines.from % every); row < lines.to; row += every) {
      const at = y(row) + high / 2 + 4;
      if (at > 8 && at < bottom + 4) pen.fillText(rows[row], GUTTER - 6, at);
    }
    pen.textAlign = "center";
    const step = tickEvery(wide);
    for (let token = Math.ceil(columns.from / step) * step; token < columns.to; token += step) {
      const at = x(token) + wide / 2;
      pen.fillText(wide >= 16 ? visible(tokens[token]) : token, at, bottom + 13);
    }
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER - 4, bottom, width - GUTTER + 4, AXIS);
    pen.clip();
    for (const mark of marks) {
      pen.textAlign = mark.token > tokens.length * 0.8 ? "right" : "left";
      pen.fillText(`▲ ${mark.label}`, x(mark.token + 1) - 4, bottom + 28);
    }
    pen.restore();
  }

  tint() {
    const row = this.row();
    if (this.painted !== row) {
      this.painted = row;
      let strongest = 0;
      this.spans.forEach((span, token) => {
        const ground = this.colour(row, token);
        span.style.background = css(ground);
        span.style.color = ink(ground);
        const size = (k) => Math.abs(this.value(row, k));
        if (size(token) > size(strongest)) strongest = token;
      });
      this.spans.forEach((span, token) => span.classList.toggle("strongest", token === strongest));
    }
    const here = this.hover?.token ?? -1;
    for (const [name, token] of [["here", here], ["pinned", this.pin.token]]) {
      this.strip.querySelector(`.${name}`)?.classList.remove(name);
      this.spans[token]?.classList.add(name);
    }
    this.spans.forEach((span, k) => {
      if (span.ariaSelected !== String(k === this.pin.token)) {
        span.ariaSelected = String(k === this.pin.token);
      }
    });
  }
}

const figures = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!figures.has(parentElement)) figures.set(parentElement, new Figure(parentElement));
  const figure = figures.get(parentElement);
  if (!figure.root.isConnected) parentElement.append(figure.root);
  figure.update(data, setTriggerValue);
}
