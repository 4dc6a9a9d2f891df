// Presenting hides the navigation and enlarges the page (`.tg-present` in style.css); the address
// says so by `present=yes`, which the links between stations take along. Each of them loads a page
// anew, and a browser leaves the full screen with the page that asked for it. So the page is shown
// once more, in a frame that fills the screen, and pages come and go only within the frame.

const FRAME = "tg-frame"; // its class, in style.css

const addressed = (page, presents) => {
  const address = new URL(page.location.href);
  if (presents) address.searchParams.set("present", "yes");
  else address.searchParams.delete("present");
  return address.href;
};

function enter(title) {
  const frame = document.createElement("iframe");
  Object.assign(frame, { className: FRAME, title, allow: "fullscreen", src: addressed(window, true) });
  document.body.append(frame);
  frame.requestFullscreen?.().catch(() => {}); // where it is refused, the frame fills the window
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) location.assign(addressed(frame.contentWindow, false));
  });
}

function leave() {
  const framed = window.frameElement?.className === FRAME;
  (framed ? window.parent : window).location.assign(addressed(window, false));
}

export default function ({ data, parentElement }) {
  const { words } = data;
  const page = document.documentElement;
  const presents = new URL(location.href).searchParams.has("present");
  page.classList.toggle("tg-present", presents);
  const button = (name, word, act) => {
    const made = document.createElement("button");
    Object.assign(made, { className: name, textContent: word, onclick: act });
    return made;
  };
  parentElement.querySelector(".presenter").replaceChildren(
    presents
      ? button("present", words.leave, leave)
      : button("present", words.present, () => enter(words.present)),
    button("print", words.print, () => window.print()),
  );
  return () => page.classList.remove("tg-present");
}
