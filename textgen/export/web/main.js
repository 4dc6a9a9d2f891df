// The page: a model, its words, three tabs.

const about = JSON.parse(document.getElementById("about").textContent);
const TRACED = 1000; // tokens that figures show
const LANGUAGES = { ko: "한국어", en: "English" };
let language = navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";

// the text of a key, with values put in: {name}, and what stands behind a colon is left out
function t(key, values = {}) {
  const text = about.words[language][key];
  if (text === undefined) throw new Error(`the page has no words for ${key}`);
  return text.replace(/\{(\w+)(?::[^}]*)?\}/g, (_, name) => values[name]);
}
const has = (key) => key in about.words[language];
const wordsOf = (section) => Object.fromEntries(Object.entries(about.words[language])
  .filter(([key]) => key.startsWith(`${section}.`))
  .map(([key, text]) => [key.slice(section.length + 1), text]));

class Page {
  constructor() {
    this.about = about;
    this.cell = about.network.cell;
    this.tokenizer = tokenizerOf(about.tokenizer);
    const numbers = numbersOf(document.getElementById("weights").textContent.trim(), about.half);
    this.network = new Network(about.network, numbers);
    this.writer = new Writer(this.network, this.tokenizer);
    this.layer = 0;
    this.pinned = null; // the unit that was chosen
    this.token = null;
    this.tabs = { write: new WriteTab(this), gates: new GatesTab(this), step: new StepTab(this) };
    this.tab = "write";
  }

  draw() {
    document.documentElement.lang = language;
    document.title = about.name;
    const languages = Object.entries(LANGUAGES).map(([code, word]) =>
      button(word, () => { language = code; this.draw(); }, { "aria-pressed": String(code === language), lang: code }));
    const tabs = Object.keys(this.tabs).map((name) => button(t(`${name}.title`), () => this.open(name), {
      role: "tab", "aria-selected": String(name === this.tab), id: `tab-${name}`, "aria-controls": "panel",
    }));
    document.body.replaceChildren(
      make("header", {}, make("h1", {}, about.name), make("div", { class: "languages" }, ...languages)),
      make("p", { class: "about" }, this.described()),
      make("div", { class: "tabs", role: "tablist" }, ...tabs),
      make("main", { id: "panel", role: "tabpanel", "aria-labelledby": `tab-${this.tab}` }, this.content()));
  }

  content() {
    if (this.tab !== "write" && !this.writer.tokens.length) return make("p", { class: "hint" }, t("page.nothing"));
    return this.tabs[this.tab].element();
  }

  open(name) {
    if (this.tabs.write.run) this.tabs.write.stop();
    this.tab = name;
    this.draw();
  }

  described() {
    const { network, parameters, bits, hash } = about;
    return [
      `${this.cell.name.toUpperCase()} ${network.layers} × ${network.hidden}`,
      has(`tokenizer.${about.tokenizer.name}`) ? t(`tokenizer.${about.tokenizer.name}`) : about.tokenizer.name,
      t("write.parameters", { count: parameters.toLocaleString() }),
      ...(bits === null ? [] : [t("write.bits", { bits: bits.toFixed(2) })]),
      about.half ? `${hash} float16` : hash,
    ].join(" · ");
  }

  // --- what the tabs that look inside have in common -----------------------------------------

  // every value of every unit at every token of the text
  traced() {
    const ids = this.writer.ids().slice(0, TRACED);
    const key = JSON.stringify(ids);
    if (this.known?.key !== key) {
      this.known = { key, ids, courses: this.network.trace(ids) };
      this.token = this.token !== null && this.token < ids.length ? this.token : null;
    }
    const tokens = ["↵", ...ids.slice(1).map((id) => this.tokenizer.token(id))];
    return { ...this.known, tokens, course: this.known.courses[this.layer], size: this.network.hidden };
  }

  firstWritten() {
    const { ids } = this.traced();
    return Math.min(this.tokenizer.encode(this.writer.prompt).length + 1, ids.length - 1);
  }

  // the unit that is pinned, or the one whose state moves most
  unit() {
    if (this.pinned !== null) return this.pinned;
    const { ids, course, size } = this.traced();
    const state = course[this.cell.carried];
    let [best, most] = [0, -1];
    for (let unit = 0; unit < size; unit += 1) {
      let moved = 0;
      for (let k = 1; k < ids.length; k += 1) moved += Math.abs(state[k * size + unit] - state[(k - 1) * size + unit]);
      if (moved > most) [best, most] = [unit, moved];
    }
    return best;
  }

  layerChoice() {
    const { layers } = about.network;
    if (layers === 1) return [];
    const names = Array.from({ length: layers }, (_, k) => String(k + 1));
    return [choice(t("step.layer"), names, String(this.layer + 1), (name) => name, (name) => {
      this.layer = Number(name) - 1;
      this.draw();
    })];
  }

  figure(file, data, { keepsUnit = false } = {}) {
    const { tokens } = this.traced();
    const caption = `${about.name} ${about.hash} · ${t("parts.tokens", { n: tokens.length })}`;
    const whole = { ...data, tokens, caption, brush: null, marks: [], rest: "", file, labels: wordsOf("figure") };
    return make("div", { class: "panel" }, mounted(COMPONENTS.figure, whole, (_, pin) => {
      this.token = pin.token;
      if (!keepsUnit) this.pinned = pin.row === null ? null : Number(pin.row);
      this.draw();
    }));
  }
}

const page = new Page();
page.draw();

// figures take their colours anew when the system turns dark or light
const dark = matchMedia("(prefers-color-scheme: dark)");
const inTheme = () => { document.documentElement.className = dark.matches ? "dark" : "light"; };
dark.addEventListener("change", inTheme);
inTheme();

// for the console: textgen.generate("A small dog ", { temperature: 0 })
window.textgen = {
  encode: (text) => page.tokenizer.encode(text),
  decode: (ids) => page.tokenizer.decode(ids),
  // a text to be written: see Writer
  writer(prompt) {
    const writer = new Writer(page.network, page.tokenizer);
    writer.begin(prompt);
    return writer;
  },
  // the ids of a text that goes on after a prompt
  generate(prompt, { tokens = 200, temperature = 1, topP = 1, topK = 0, minP = 0, seed = 1 } = {}) {
    const writer = this.writer(prompt);
    const steps = writer.write({ temperature, topP, topK, minP, seed });
    for (let k = 0; k < tokens; k += 1) steps.next();
    return writer.tokens.map((token) => token.id);
  },
  // what the model says after each of some ids
  logits(ids) {
    const state = page.network.begin();
    const values = page.network.room();
    return ids.map((id) => {
      page.network.advance(id, state, values);
      return Array.from(page.network.readOut(state));
    });
  },
  trace: (ids) => page.network.trace(ids),
  about,
};
