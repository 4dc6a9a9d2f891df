// Saves a chart that the page has drawn as SVG: as it is, or painted on a canvas. Python names the
// chart by the key of what it stands in; the words of the buttons are the formats.

function drawn(name) {
  const within = (root) => {
    const svg = root.querySelector("svg.marks, svg[role=img], .cell svg");
    if (svg) return svg;
    for (const element of root.querySelectorAll("*")) {
      const found = element.shadowRoot && within(element.shadowRoot);
      if (found) return found;
    }
    return null;
  };
  const place = document.querySelector(`.st-key-${CSS.escape(name)}`);
  return place && within(place);
}

const SVG = "http://www.w3.org/2000/svg";
const LETTER = 6; // width of one in the caption, about
const LINE = 16; // height of the caption's lines

function part(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// the caption in lines that fit, parted at spaces
function lines(caption, width) {
  const found = [];
  for (const word of caption.split(" ")) {
    const longer = found.length ? `${found.at(-1)} ${word}` : "";
    if (longer && longer.length * LETTER < width) found[found.length - 1] = longer;
    else found.push(word);
  }
  return caption ? found : [];
}

// a copy that stands alone: with its caption, its font and the ground it was read on
function alone(svg, caption, style) {
  const copy = svg.cloneNode(true);
  const { width, height } = svg.getBoundingClientRect();
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const said = lines(caption, width - 2 * LETTER);
  const whole = height + (said.length ? (said.length + 0.5) * LINE : 0);
  const root = part("svg", { xmlns: SVG, width, height: whole, viewBox: `0 0 ${width} ${whole}` });
  root.style.background = style.getPropertyValue("--st-background-color");
  root.style.color = style.getPropertyValue("--st-text-color");
  root.style.fontFamily = style.fontFamily;
  root.append(copy);
  said.forEach((line, k) => {
    const y = height + (k + 1) * LINE;
    const text = part("text", { x: LETTER, y, "font-size": 11, fill: "currentColor" });
    text.textContent = line;
    root.append(text);
  });
  return [new XMLSerializer().serializeToString(root), width, whole];
}

async function painted(text, width, height) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * 2, height * 2];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

export default function ({ data, parentElement }) {
  const buttons = ["SVG", "PNG"].map((kind) => {
    const button = document.createElement("button");
    button.textContent = kind;
    button.setAttribute("aria-label", `${kind}, ${data.file}`);
    button.onclick = async () => {
      const svg = drawn(data.chart);
      if (!svg) return;
      const [text, ...size] = alone(svg, data.caption, getComputedStyle(parentElement.host ?? parentElement));
      const blob =
        kind === "SVG" ? new Blob([text], { type: "image/svg+xml" }) : await painted(text, ...size);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${data.file}.${kind.toLowerCase()}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    };
    return button;
  });
  parentElement.querySelectorAll("button").forEach((old) => old.remove());
  parentElement.append(...buttons);
}
