// The tab Write: a beginning, the text that follows, and what else the model had in mind.

const FRAME = 24; // milliseconds of writing between two looks at the page
const LARGEST_SEED = 2 ** 31 - 1;

const SLIDERS = {
  max_new_tokens: { low: 20, high: 2000, step: 20 },
  temperature: { low: 0, high: 2, step: 0.05, digits: 2 },
  top_p: { low: 0.05, high: 1, step: 0.05, digits: 2 },
  top_k: { low: 0, high: 100, step: 1 },
  min_p: { low: 0, high: 0.5, step: 0.01, digits: 2 },
};

class WriteTab {
  constructor(page) {
    this.page = page;
    this.settings = { max_new_tokens: 200, temperature: 0.8, top_p: 0.95, top_k: 0, min_p: 0, seed: "" };
    this.prompt = page.about.prompt;
    this.colour = "probability";
    this.seed = null; // with which the text was written
    this.run = null; // what is being written
    this.speed = null;
  }

  element() {
    this.desk = make("div", { class: "text", "aria-live": "off" });
    this.notes = make("p", { class: "notes" });
    this.buttons = make("div", { class: "buttons" });
    const prompt = make("textarea", {
      rows: 2, maxlength: 5000, autocapitalize: "off", spellcheck: "false",
      oninput: () => { this.prompt = prompt.value; },
    });
    prompt.value = this.prompt;
    const left = make("div", { class: "desk" },
      make("label", { class: "beginning" }, make("span", {}, t("write.prompt")), prompt),
      this.buttons);
    const below = make("div", { class: "written" }, this.legend(), this.desk, this.notes);
    this.show();
    return make("div", { class: "columns" }, left, this.controls(), below);
  }

  controls() {
    const { settings } = this;
    const sliders = Object.entries(SLIDERS).map(([name, range]) =>
      slider(t(`option.${name}`), settings[name], range, (value) => { settings[name] = value; }));
    const seed = make("input", {
      type: "number", min: 0, max: LARGEST_SEED, step: 1, placeholder: t("write.random"),
      inputmode: "numeric", value: settings.seed, oninput: () => { settings.seed = seed.value; },
    });
    const inside = [...sliders, make("label", { class: "seed" }, make("span", {}, t("option.seed")), seed)];
    const wide = matchMedia("(min-width: 60rem)").matches;
    return make("details", { class: "settings", open: wide },
      make("summary", {}, t("page.settings")), ...inside);
  }

  legend() {
    const colours = choice(t("colour.label"), ["probability", "none"], this.colour,
      (name) => t(`colour.${name}`), (name) => { this.colour = name; this.page.draw(); });
    const ramp = make("p", { class: "ramp" }, t("colour.likely"), make("i"), t("colour.surprising"));
    return make("div", { class: "legend" }, colours, ...(this.colour === "none" ? [] : [ramp]));
  }

  show() {
    const { writer } = this.page;
    const running = this.run !== null;
    const nothing = !writer.tokens.length;
    this.buttons.replaceChildren(...(running
      ? [button(t("write.stop"), () => this.stop(), { class: "primary" })]
      : [
        button(t("write.write"), () => this.begin(), { class: "primary" }),
        button(t("write.continue"), () => this.goOn(), { disabled: nothing }),
        button(t("write.regenerate"), () => this.begin(true), { disabled: nothing }),
      ]));
    this.notes.replaceChildren(...this.said());
    if (nothing && !running) this.desk.replaceChildren(make("p", { class: "hint" }, t("page.hint")));
    else if (running) this.stream();
    else this.desk.replaceChildren(mounted(COMPONENTS.strip, this.stripData(), (_, chosen) => this.choose(chosen)));
  }

  // while it is written: all but what a token to come may still change
  stream() {
    const { writer } = this.page;
    const groups = writer.groups();
    const text = groups.slice(0, -1).map((group) => group.text).join("");
    this.desk.replaceChildren(make("div", { class: "running" },
      make("span", { class: "prompt" }, writer.prompt), text, make("span", { class: "caret" })));
  }

  stripData() {
    const { writer, tokenizer } = this.page;
    const round = (logprob) => Number(Math.exp(logprob).toFixed(5));
    const groups = writer.groups().map((group) => ({ ...group, copied: 0 }));
    let prompt = writer.prompt.normalize("NFC");
    const first = groups[0] && (prompt.slice(-1) + groups[0].text).normalize("NFC");
    if (prompt && first && [...first].length === 1) { // it completes the last syllable of the prompt
      prompt = prompt.slice(0, -1);
      groups[0].text = first;
    }
    const last = groups.at(-1); // of a character that is not whole nothing is shown
    if (last?.text.endsWith(UNKNOWN)) last.text = last.text.slice(0, -1);
    return {
      prompt,
      groups,
      tokens: writer.tokens.map(({ id, logprob, best }) => ({
        id, shown: tokenizer.token(id), p: round(logprob),
        best: best.map(([other, likely]) => [other, tokenizer.token(other), round(likely)]),
      })),
      labels: wordsOf("strip"),
      colour: this.colour,
      pages: [], // of the app, which could look at a token
    };
  }

  said() {
    const { writer, tokenizer } = this.page;
    const unknown = tokenizer.unknown(writer.prompt);
    const parts = [];
    if (unknown.length) parts.push(t("write.unknown", { characters: unknown.slice(0, 20).join(" ") }));
    if (this.seed !== null) parts.push(t("write.seed", { seed: this.seed }));
    if (this.speed !== null) parts.push(t("page.speed", { n: Math.round(this.speed).toLocaleString() }));
    const notes = [parts.join(" · ")];
    if (this.seed !== null && this.settings.seed !== String(this.seed)) {
      notes.push(" ", button(t("write.keep_seed"), () => {
        this.settings.seed = String(this.seed);
        this.page.draw();
      }, { class: "quiet" }));
    }
    return notes;
  }

  // --- what is done -------------------------------------------------------------------------

  begin(anew = false) {
    const { writer, tokenizer } = this.page;
    const known = tokenizer.encode(this.prompt);
    if (known.length && known.every((id) => tokenizer.banned.includes(id))) {
      this.notes.textContent = t("page.all_unknown");
      return;
    }
    writer.begin(this.prompt);
    if (anew && this.settings.seed !== "") this.settings.seed = String(drawnSeed());
    this.write();
  }

  goOn() {
    this.write();
  }

  choose({ index, id }) {
    this.page.writer.replace(index, id);
    this.write();
  }

  options() {
    const { temperature, top_p: topP, top_k: topK, min_p: minP, seed } = this.settings;
    this.seed = seed === "" ? drawnSeed() : Math.min(Math.max(Math.floor(Number(seed)) || 0, 0), LARGEST_SEED);
    return { temperature, topP, topK, minP, seed: this.seed };
  }

  write() {
    const { writer } = this.page;
    const steps = writer.write(this.options());
    const many = this.settings.max_new_tokens;
    const run = { left: many, spent: 0 };
    this.run = run;
    this.speed = null;
    const some = () => {
      if (this.run !== run) return; // stopped
      const begun = performance.now();
      while (run.left > 0 && performance.now() - begun < FRAME) {
        steps.next();
        run.left -= 1;
      }
      run.spent += performance.now() - begun;
      if (run.left > 0) setTimeout(some);
      else this.stop(many / (run.spent / 1000));
      if (this.run === run) this.show();
    };
    this.page.draw();
    setTimeout(some);
  }

  stop(speed = null) {
    this.run = null;
    this.speed = speed;
    this.page.draw();
  }
}

const drawnSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;
