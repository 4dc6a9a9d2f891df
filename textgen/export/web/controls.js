// What the page is made of. All text is set with textContent, so that markup in it stays text.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element[name] = value;
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

// a slider with its number; change(value) is called while it moves
function slider(label, value, { low, high, step, digits = 0 }, change) {
  const shown = make("output", {}, value.toFixed(digits));
  const input = make("input", {
    type: "range", min: low, max: high, step, value,
    oninput: () => {
      shown.textContent = Number(input.value).toFixed(digits);
      change(Number(input.value));
    },
  });
  return make("label", { class: "slider" }, make("span", {}, label, shown), input);
}

// one of several, side by side
function choice(label, names, chosen, word, change) {
  const buttons = names.map((name) => button(word(name), () => change(name), {
    "aria-pressed": String(name === chosen),
  }));
  return make("div", { class: "choice", role: "group", "aria-label": label },
    make("span", {}, label), make("div", {}, ...buttons));
}

// one of several, in a list
function select(label, names, chosen, word, change) {
  const options = names.map((name) => make("option", { value: name, selected: name === chosen }, word(name)));
  const list = make("select", { onchange: () => change(list.value) }, ...options);
  return make("label", { class: "select" }, make("span", {}, label), list);
}

// a component of the app in a root of its own: its style and its code see nothing else
function mounted(component, data, tell = () => {}) {
  const host = make("div");
  const root = host.attachShadow({ mode: "open" });
  root.append(make("style", {}, component.css));
  // once it stands in the page, whose colours and width it asks for
  queueMicrotask(() => component.draw({ data, parentElement: root, setTriggerValue: tell }));
  return host;
}
