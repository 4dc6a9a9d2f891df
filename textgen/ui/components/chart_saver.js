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

// a copy that stands alone: with its size, its font and the ground it was read on
function alone(svg, style) {
  const copy = svg.cloneNode(true);
  const { width, height } = svg.getBoundingClientRect();
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  copy.style.background = style.getPropertyValue("--st-background-color");
  copy.style.color = style.getPropertyValue("--st-text-color");
  copy.style.fontFamily = style.fontFamily;
  return [new XMLSerializer().serializeToString(copy), width, height];
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
      const [text, ...size] = alone(svg, getComputedStyle(parentElement.host ?? parentElement));
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
