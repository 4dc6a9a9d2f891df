// The picture of a step, and a walk through it: value after value, its way lit and the rest pale.
// data.walk: what is said of each value, in the order of the equations; without it there is no walk.

const STAY = 2600; // milliseconds at a value

// the equations on the page, which knows them by their keys, while a value is lit; coming: those
// that follow it
function showEquations(lit, coming) {
  for (const place of document.querySelectorAll("[class*='st-key-equation-']")) {
    const belongs = (value) => place.classList.contains(`st-key-equation-${value}`);
    place.classList.toggle("tg-lit", belongs(lit));
    place.classList.toggle("tg-pale", coming.some(belongs));
  }
}

export default function ({ data, parentElement }) {
  const before = parentElement.querySelector(".cell");
  const was = before ? { at: before.at, playing: before.playing } : { at: -1, playing: false };
  before?.halt?.();
  before?.remove();
  const place = document.createElement("div");
  place.className = "cell";
  place.append(picture(data));
  parentElement.append(place);
  const walk = data.walk ?? [];
  if (!walk.length) return;

  const { words } = data;
  const button = (name, shown, label) => {
    const made = document.createElement("button");
    made.className = name;
    made.textContent = shown;
    if (label) made.setAttribute("aria-label", label);
    return made;
  };
  const play = button("play", words.play);
  const back = button("back", "◀", words.back);
  const on = button("on", "▶", words.on);
  const controls = document.createElement("div");
  controls.className = "controls";
  controls.append(play, back, on);
  const caption = document.createElement("p");
  caption.className = "caption";
  caption.setAttribute("aria-live", "polite");
  place.prepend(controls, caption);
  let timer = 0;

  // at: the place in the walk; -1: all of it
  function show(at) {
    place.at = at;
    const value = at < 0 ? null : walk[at].value;
    const coming = at < 0 ? [] : walk.slice(at + 1).map((step) => step.value);
    for (const part of place.querySelectorAll("[data-of]")) {
      const own = part.dataset.of.split(" ");
      const lit = own.includes(value);
      part.classList.toggle("lit", lit);
      part.classList.toggle("pale", !lit && own.every((name) => coming.includes(name)));
      for (const line of part.querySelectorAll("[marker-end]")) {
        line.setAttribute("marker-end", lit ? "url(#tg-head-lit)" : "url(#tg-head)");
      }
    }
    caption.textContent = at < 0 ? words.see : walk[at].text;
    back.disabled = at < 0;
    showEquations(value, coming);
  }

  function halt() {
    clearInterval(timer);
    timer = 0;
    place.playing = false;
    play.textContent = words.play;
  }

  function start() {
    place.playing = true;
    play.textContent = words.pause;
    timer = setInterval(() => {
      if (!place.isConnected) halt();
      else if (place.at + 1 < walk.length) show(place.at + 1);
      else {
        halt();
        show(-1);
      }
    }, STAY);
  }

  place.halt = () => clearInterval(timer);
  play.onclick = () => {
    if (timer) return halt();
    show(place.at < 0 ? 0 : place.at);
    start();
  };
  back.onclick = () => {
    halt();
    show(place.at - 1);
  };
  on.onclick = () => {
    halt();
    show(place.at + 1 < walk.length ? place.at + 1 : -1);
  };
  show(Math.min(was.at, walk.length - 1));
  if (was.playing) start();
  return () => {
    clearInterval(timer);
    showEquations(null, []);
  };
}
