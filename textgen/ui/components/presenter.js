// Presenting hides the navigation and enlarges the page (`.tg-present` in style.css). A link to the
// next station loads a page anew, and browsers then leave the full screen: what lasts is kept in the
// session of the tab.

const KEPT = "textgen presents";

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".presenter");
  const { words } = data;
  const page = document.documentElement;
  const button = (act) => {
    const made = document.createElement("button");
    made.onclick = act;
    return made;
  };
  const show = (presents) => {
    page.classList.toggle("tg-present", presents);
    present.textContent = presents ? words.leave : words.present;
    present.setAttribute("aria-pressed", String(presents));
  };
  const present = button(() => {
    const presents = !page.classList.contains("tg-present");
    sessionStorage.setItem(KEPT, presents ? "yes" : "");
    show(presents);
    if (presents) page.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
  });
  present.className = "present";
  const print = button(() => window.print());
  print.className = "print";
  print.textContent = words.print;
  root.replaceChildren(present, print);
  show(sessionStorage.getItem(KEPT) === "yes");
  return () => page.classList.remove("tg-present");
}
