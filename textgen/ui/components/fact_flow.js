// The tokens of a text, one after the other; below them, for each model, ribbons of the units that
// tell the fact, as wide as they do, and what it would answer if it were asked now. Everything was
// computed in Python: here it is only uncovered.

const RIBBON = 11, BAND = 34; // pixels of a unit, and of the answer
const PER_SECOND = 9; // tokens, when it plays
const GLIDE = 4, STAY = 8; // seconds, of each stop of the tour

const escaped = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

function ribbon(values, y, across, widest) {
  const upper = [], lower = [];
  values.forEach((value, t) => {
    const half = (Math.max(value, 0.03) * widest) / 2;
    upper.push(`${across(t).toFixed(1)},${(y - half).toFixed(1)}`);
    lower.unshift(`${across(t).toFixed(1)},${(y + half).toFixed(1)}`);
  });
  return `<polygon points="${[...upper, ...lower].join(" ")}"/>`;
}

function laneMarkup(lane, width, index, count, words) {
  const high = BAND + lane.ribbons.length * RIBBON + 6;
  const across = (t) => 4 + ((width - 16) * t) / Math.max(count - 1, 1);
  const ribbons = lane.ribbons
    .map((values, k) => ribbon(values, BAND + 3 + RIBBON * (k + 0.5), across, RIBBON - 3))
    .join("");
  const band = ribbon(lane.right, BAND / 2, across, BAND - 4);
  return (
    `<svg height="${high}" viewBox="0 0 ${width} ${high}" role="img" ` +
    `aria-label="${escaped(`${lane.name}: ${words.summary}`)}">` +
    `<defs><clipPath id="read${index}"><rect x="0" y="0" width="0" height="${high}"/></clipPath></defs>` +
    `<line x1="0" y1="${high - 1}" x2="${width}" y2="${high - 1}" stroke="currentColor" opacity="0.35"/>` +
    `<g clip-path="url(#read${index})"><g fill="${lane.colour}">${band}</g>` +
    `<g fill="${lane.colour}" opacity="0.6">${ribbons}</g></g>` +
    `<line class="now" y1="0" y2="${high}" stroke="currentColor" stroke-width="1.5"/></svg>`
  );
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".flow");
  if (root.shown === JSON.stringify(data)) return;
  root.shown = JSON.stringify(data);
  root.halt?.();
  const { tokens, fact, lanes, captions, words } = data;
  const last = tokens.length - 1;
  root.innerHTML =
    `<p class="text">${tokens
      .map((text, t) => {
        const kind = t >= fact[0] && t <= fact[1] ? "fact" : "";
        return `<span class="${kind}">${escaped(text)}</span>`;
      })
      .join("")}<span class="blank">?</span><span>${escaped(data.rest)}</span></p>` +
    '<div class="controls"><button class="first tour"></button><button class="play"></button>' +
    `<button class="back" aria-label="${escaped(words.back)}">◀</button>` +
    `<button class="step" aria-label="${escaped(words.step)}">▶</button>` +
    `<input type="range" min="0" max="${last}" aria-label="${escaped(words.place)}"></div>` +
    '<p class="caption" aria-live="polite"></p>' +
    lanes
      .map(
        (lane) =>
          `<div class="lane"><h3><span>${escaped(lane.state)}</span><span class="says"></span></h3>` +
          '<div class="figure"></div></div>',
      )
      .join("");
  const find = (name) => root.querySelector(name);
  const spans = [...root.querySelectorAll(".text span")].slice(0, tokens.length);
  const [blank, slider, caption] = [find(".blank"), find("input"), find(".caption")];
  const places = [...root.querySelectorAll(".figure")];
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.style.setProperty("--unread", dark ? "#9a9a94" : "#6f6f69");
  let token = last, timer = 0, touring = false;

  function draw() {
    const width = root.clientWidth || 600;
    places.forEach((place, k) => {
      place.innerHTML = laneMarkup(lanes[k], width, k, tokens.length, words);
    });
    show(token);
  }

  function show(at) {
    token = Math.min(Math.max(at, 0), last);
    const whole = Math.floor(token);
    const x = 4 + ((root.clientWidth || 600) - 16) * (token / Math.max(last, 1));
    spans.forEach((span, t) => {
      span.classList.toggle("unread", t > whole);
      span.classList.toggle("here", t === whole && whole < last);
    });
    blank.textContent = whole >= last ? data.answer : "?";
    slider.value = String(whole);
    places.forEach((place, k) => {
      place.querySelector("clipPath rect").setAttribute("width", x + 1);
      for (const end of ["x1", "x2"]) place.querySelector(".now").setAttribute(end, x);
      const said = `${words.now}: ${lanes[k].says[whole]}`;
      place.parentElement.querySelector(".says").textContent = said;
    });
    name();
  }

  function name() {
    find(".play").textContent = timer && !touring ? words.pause : words.play;
    find(".tour").textContent = touring ? words.pause : words.tour;
  }

  function halt() {
    cancelAnimationFrame(timer);
    timer = 0;
    touring = false;
    name();
  }
  root.halt = halt;

  // `advance(seconds)` shows where it is by then, and says whether there is more
  function run(advance) {
    const began = performance.now();
    const frame = (now) => {
      if (!root.isConnected) return;
      if (advance(Math.max(now - began, 0) / 1000)) timer = requestAnimationFrame(frame);
      else halt();
    };
    timer = requestAnimationFrame(frame);
    name();
  }

  function play() {
    const from = token >= last ? 0 : token;
    caption.textContent = words.see;
    run((seconds) => {
      show(from + PER_SECOND * seconds);
      return token < last;
    });
  }

  function tour() {
    touring = true;
    run((seconds) => {
      const stop = Math.floor(seconds / (GLIDE + STAY));
      if (stop >= captions.length) return false;
      const from = stop ? captions[stop - 1].token : 0;
      const part = Math.min((seconds - stop * (GLIDE + STAY)) / GLIDE, 1);
      if (caption.textContent !== captions[stop].text) caption.textContent = captions[stop].text;
      show(from + (captions[stop].token - from) * part);
      return true;
    });
  }

  // a button stops what it began, and nothing else: the tour begins in the midst of the play
  const toggled = (begin, runs) => () => {
    const running = runs();
    halt();
    if (!running) begin();
  };
  find(".play").onclick = toggled(play, () => timer && !touring);
  find(".tour").onclick = toggled(tour, () => touring);
  const moved = (by) => () => {
    halt();
    show(Math.floor(token) + by);
  };
  find(".back").onclick = moved(-1);
  find(".step").onclick = moved(1);
  slider.oninput = () => {
    halt();
    show(Number(slider.value));
  };
  caption.textContent = words.see;
  new ResizeObserver(draw).observe(root);
  draw();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
    show(0);
    play();
  }
  return halt;
}
