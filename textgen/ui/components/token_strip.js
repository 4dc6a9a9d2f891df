// A text of tokens: hover tells the probability, a click opens the alternatives, a choice goes
// back to Python. All text is set with textContent, so that markup in it stays text.

const SURPRISE_BITS = 8; // the strongest tint: one chance in 256
const STRONGEST = 38; // per cent of the primary colour

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

const visible = (text) =>
  text === " " ? "␣" : text.replaceAll("\n", "↵").replaceAll("\t", "⇥").replace(/^ /, "␣");

const percent = (p) => {
  const value = p * 100;
  return (value >= 10 ? value.toFixed(0) : value >= 0.1 ? value.toFixed(1) : "<0.1") + " %";
};

export default function ({ data, parentElement, setTriggerValue }) {
  const { prompt, groups, tokens, labels, colour, pages } = data;
  parentElement.querySelector(".strip")?.remove();
  const root = make("div", `strip by-${colour}`);
  const text = make("div", "text");
  text.setAttribute("role", "group");
  text.setAttribute("aria-label", labels.text);
  text.append(make("span", "prompt", prompt));

  const spans = groups.map((group, number) => {
    // a syllable of several letters is as likely as all of them in a row
    const members = tokens.slice(group.first, group.first + group.count);
    const p = members.reduce((product, token) => product * token.p, 1);
    const span = make("span", "token", group.text);
    if (group.text === "\n") span.classList.add("newline");
    const bits = Math.min(-Math.log2(Math.max(p, 1e-9)), SURPRISE_BITS);
    span.style.setProperty("--surprise", ((bits / SURPRISE_BITS) * STRONGEST).toFixed(1));
    let likely = `${labels.likely} ${percent(p)}`;
    if (group.copied) {
      span.classList.add("copied");
      likely += `, ${labels.copied} ${group.copied}`;
    }
    if (group.counted !== null) {
      span.style.setProperty("--counted", (group.counted * STRONGEST).toFixed(1));
      likely += `, ${labels.counted} ${percent(group.counted)}`;
    }
    span.title = `${visible(group.text)}  ${likely}`;
    span.setAttribute("role", "button");
    span.setAttribute("aria-label", `${visible(group.text)}, ${likely}`);
    span.setAttribute("aria-haspopup", "dialog");
    span.setAttribute("aria-expanded", "false");
    span.tabIndex = number === 0 ? 0 : -1;
    span.onclick = () => open(number);
    return span;
  });
  text.append(...spans);

  const card = make("div", "card");
  card.setAttribute("popover", "auto");
  card.setAttribute("role", "dialog");
  card.setAttribute("aria-label", labels.alternatives);
  let opened = null;

  const focusToken = (number) => {
    const next = spans[Math.max(0, Math.min(spans.length - 1, number))];
    for (const span of spans) span.tabIndex = span === next ? 0 : -1;
    next?.focus();
  };

  const fill = (group, index) => {
    card.replaceChildren(make("p", "", labels.hint));
    if (group.count > 1) {
      const parts = make("div", "parts");
      for (let i = group.first; i < group.first + group.count; i += 1) {
        const part = make("button", "", visible(tokens[i].shown));
        part.setAttribute("aria-pressed", String(i === index));
        part.onclick = () => fill(group, i);
        parts.append(part);
      }
      card.append(parts);
    }
    const token = tokens[index];
    const listed = token.best.some(([id]) => id === token.id);
    const written = listed ? [] : [[token.id, token.shown, token.p]];
    for (const [id, shown, p] of [...token.best, ...written]) {
      const row = make("button", "row");
      const bar = make("span", "bar");
      const length = make("i");
      length.style.width = `${p * 100}%`;
      bar.append(length);
      row.append(make("span", "shown", visible(shown)), bar, make("span", "number", percent(p)));
      row.setAttribute("aria-label", `${visible(shown)}, ${percent(p)}`);
      if (id === token.id) row.setAttribute("aria-current", "true");
      row.onclick = () => {
        card.hidePopover();
        setTriggerValue("chosen", { index, id });
      };
      card.append(row);
    }
    if (pages.length) {
      card.append(make("p", "", labels.look));
      const links = make("div", "parts");
      for (const [page, title] of pages) {
        const link = make("button", "", title);
        link.onclick = () => {
          card.hidePopover();
          setTriggerValue("look", { index: group.first, count: group.count, page });
        };
        links.append(link);
      }
      card.append(links);
    }
    card.querySelector(".row")?.focus();
  };

  const open = (number) => {
    const group = groups[number];
    focusToken(number);
    opened = number;
    fill(group, group.first);
    card.showPopover();
    spans[number].setAttribute("aria-expanded", "true");
    const at = spans[number].getBoundingClientRect();
    const box = card.getBoundingClientRect();
    const left = Math.min(Math.max(at.left, 12), window.innerWidth - box.width - 12);
    const below = at.bottom + 6;
    const fits = below + box.height < window.innerHeight - 8;
    const top = fits ? below : Math.max(8, at.top - box.height - 6);
    card.style.left = `${left}px`;
    card.style.top = `${top}px`;
    card.querySelector(".row")?.focus();
  };

  card.addEventListener("toggle", (event) => {
    if (event.newState !== "closed" || opened === null) return;
    const number = opened;
    opened = null;
    spans[number].setAttribute("aria-expanded", "false");
    spans[number].focus({ preventScroll: true });
  });

  text.onkeydown = (event) => {
    const number = spans.indexOf(event.target);
    if (number < 0) return;
    const moves = { ArrowRight: number + 1, ArrowLeft: number - 1, Home: 0, End: spans.length - 1 };
    if (event.key in moves) focusToken(moves[event.key]);
    else if (event.key === "Enter" || event.key === " " || event.key === "ArrowDown") open(number);
    else return;
    event.preventDefault();
  };

  card.onkeydown = (event) => {
    const rows = [...card.querySelectorAll("button")];
    const number = rows.indexOf(parentElement.activeElement ?? document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    rows[(number + step + rows.length) % rows.length].focus();
    event.preventDefault();
  };

  root.append(text, card);
  parentElement.append(root);
}
