// The tab One step: one unit at one token, the equations of its cell with the numbers in them.

class StepTab {
  constructor(page) {
    this.page = page;
  }

  element() {
    const { page } = this;
    const { tokens, size } = page.traced();
    const units = Array.from({ length: size }, (_, unit) => String(unit));
    this.picture = make("div", { class: "picture" });
    this.text = make("div", { class: "reading", role: "group" });
    this.equations = make("div", { class: "equations" });
    const token = slider(t("step.token"), page.token ?? page.firstWritten(), { low: 0, high: tokens.length - 1, step: 1 },
      (chosen) => { page.token = chosen; this.fill(); });
    const unit = select(t("step.unit"), units, String(page.unit()), (name) => name,
      (name) => { page.pinned = Number(name); page.draw(); });
    this.fill();
    return make("div", {},
      make("div", { class: "controls" }, unit, ...page.layerChoice(), token),
      this.text,
      make("div", { class: "step" }, this.picture, this.equations),
      make("p", { class: "hint" }, t("step.how")));
  }

  fill() {
    const { page } = this;
    const { network, cell, layer } = page;
    const { ids, course, courses, size } = page.traced();
    const unit = page.unit();
    const token = page.token ?? page.firstWritten();
    const values = network.unitValues(ids, courses, layer, unit, token);
    let scale = 0;
    for (let k = 0; k < ids.length; k += 1) scale = Math.max(scale, Math.abs(course[cell.carried][k * size + unit]));
    this.picture.replaceChildren(mounted(COMPONENTS.cell, {
      state: cell.carried, activation: cell.activation_name, values, shares: shares && shares(values),
      equations: cell.equations,
      token: token ? page.tokenizer.token(ids[token]) : "\n", scale, replaced: [],
    }));
    this.showText(ids, token);
    this.equations.replaceChildren(...Object.entries(cell.equations).map(([heading, equations]) =>
      make("section", {},
        make("h3", {}, has(`stage.${heading}`) ? t(`stage.${heading}`) : heading,
          make("small", {}, has(`stage_what.${heading}`) ? t(`stage_what.${heading}`) : "")),
        ...equations.map((equation) => make("div", { class: "equation" },
          ...linesOf(cell, equation, values).map((line) => make("div", {}, mathml(line))))))));
  }

  // the text with the token marked, and what follows it paler
  showText(ids, token) {
    const { tokenizer } = this.page;
    const here = token ? tokenizer.decode([ids[token]]) : "↵";
    const mark = make("mark", {}, here.replaceAll(" ", "␣").replaceAll("\n", "↵"));
    this.text.replaceChildren(
      make("span", {}, tokenizer.decode(ids.slice(1, token))),
      mark,
      make("span", { class: "unread" }, tokenizer.decode(ids.slice(token + 1))));
    requestAnimationFrame(() => {
      this.text.scrollTop = mark.offsetTop - this.text.offsetTop - this.text.clientHeight / 2;
    });
  }
}
