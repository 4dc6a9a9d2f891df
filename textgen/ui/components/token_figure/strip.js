// The tokens as text, coloured by one row of values.

class Strip {
  constructor(figure) {
    this.figure = figure;
    const { data } = figure;
    const strip = make("div", "strip");
    strip.tabIndex = 0;
    strip.setAttribute("role", "listbox");
    strip.setAttribute("aria-label", `${data.title}. ${data.labels.text_keys}`);
    this.spans = data.tokens.map((text, token) => {
      const span = make("span", "", text);
      span.id = `token-${token}`;
      span.setAttribute("role", "option");
      span.ariaSelected = "false";
      if (!text.trim()) span.setAttribute("aria-label", data.labels.space); // else nameless
      return span;
    });
    strip.append(...this.spans, make("i", "", data.rest));
    const tokenOf = (event) => this.spans.indexOf(event.target);
    let from = -1; // where a brush began
    strip.onpointerdown = (event) => {
      from = data.brush && event.pointerType !== "touch" ? tokenOf(event) : -1;
      if (from < 0) return;
      event.preventDefault(); // a span is being brushed, no text selected
      strip.focus({ preventScroll: true });
    };
    strip.onpointermove = (event) => {
      const token = tokenOf(event);
      if (token >= 0 && from >= 0 && event.buttons) this.mark([from, token]);
      figure.point(token < 0 ? null : { row: -1, token }, event);
    };
    strip.onpointerup = (event) => {
      const token = tokenOf(event);
      if (from >= 0 && token >= 0 && token !== from) this.send([from, token]);
      else if (token >= 0) figure.setPin(figure.pin.row, token);
      from = -1;
    };
    strip.onpointerleave = () => figure.point(null);
    strip.onblur = () => figure.point(null);
    strip.onkeydown = (event) => this.key(event);
    this.element = strip;
    if (data.brush) this.mark(data.brush);
  }

  mark(span) {
    this.brushed = [Math.min(...span), Math.max(...span)];
    const [from, to] = this.brushed;
    this.spans.forEach((each, k) => each.classList.toggle("span", from <= k && k <= to));
  }

  send(span) {
    this.mark(span);
    this.figure.tell("span", this.brushed);
  }

  key(event) {
    const { figure } = this;
    const last = this.spans.length - 1;
    const now = Math.max((figure.hover ?? figure.pin).token, 0);
    const moves = {
      ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last,
      ArrowDown: this.below(now, 1), ArrowUp: this.below(now, -1),
    };
    if (event.key in moves) {
      const token = clamp(moves[event.key], 0, last);
      if (figure.data.brush && event.shiftKey) {
        this.anchor ??= now;
        this.mark([this.anchor, token]);
      } else this.anchor = undefined;
      figure.go({ row: -1, token });
    } else if (event.key === "Enter" || event.key === " ") {
      if (this.anchor !== undefined) this.send(this.brushed);
      else figure.setPin(figure.pin.row, now);
      this.anchor = undefined;
    } else if (event.key === "Escape") figure.setPin(-1, -1);
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

  bringIntoSight({ token }) {
    this.element.setAttribute("aria-activedescendant", `token-${token}`);
    const { offsetTop, offsetHeight } = this.spans[token];
    const { scrollTop, clientHeight } = this.element;
    const low = offsetTop + offsetHeight + 8 - clientHeight;
    this.element.scrollTop = clamp(scrollTop, low, Math.max(low, offsetTop - 8));
  }

  paint() {
    const { figure, spans } = this;
    const row = figure.row();
    if (this.painted !== row) {
      this.painted = row;
      const size = (token) => Math.abs(figure.value(row, token));
      let strongest = 0;
      spans.forEach((span, token) => {
        const ground = figure.colour(row, token);
        span.style.background = css(ground);
        span.style.color = ink(ground);
        if (size(token) > size(strongest)) strongest = token;
      });
      this.only("strongest", strongest);
    }
    this.only("here", figure.hover?.token ?? -1);
    const before = this.only("pinned", figure.pin.token);
    if (before) before.ariaSelected = "false";
    if (spans[figure.pin.token]) spans[figure.pin.token].ariaSelected = "true";
  }

  // gives one token a class that another had
  only(name, token) {
    const before = this.element.querySelector(`.${name}`);
    before?.classList.remove(name);
    this.spans[token]?.classList.add(name);
    return before;
  }
}
