// The figure to take away: laid out once, drawn as PNG or written as SVG.

const PAPER_WIDTH = 1200;
const EDGE = 24;
const LINE = 28;

// what both kinds of paper can do; sizes in px
class Canvas {
  constructor(width, height, font) {
    this.canvas = Object.assign(document.createElement("canvas"), {
      width: width * 2, height: height * 2,
    });
    this.pen = this.canvas.getContext("2d");
    this.pen.scale(2, 2);
    this.pen.imageSmoothingEnabled = false;
    this.font = font;
  }
  rect(x, y, width, height, fill) {
    this.pen.fillStyle = fill;
    this.pen.fillRect(x, y, width, height);
  }
  text(x, y, text, { size = 12, fill, anchor = "start", weight = 400 }) {
    this.pen.font = `${weight} ${size}px ${this.font}`;
    this.pen.textAlign = anchor === "middle" ? "center" : anchor;
    this.pen.fillStyle = fill;
    this.pen.fillText(text, x, y);
  }
  image(x, y, width, height, picture) {
    this.pen.drawImage(picture, x, y, width, height);
  }
  blob() {
    return new Promise((done) => this.canvas.toBlob(done, "image/png"));
  }
}

class Svg {
  constructor(width, height, font) {
    this.size = [width, height];
    this.font = font;
    this.parts = [];
  }
  escape(text) {
    return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  }
  rect(x, y, width, height, fill) {
    this.parts.push(`<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`);
  }
  text(x, y, text, { size = 12, fill, anchor = "start", weight = 400 }) {
    this.parts.push(
      `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}" ` +
        `text-anchor="${anchor}" xml:space="preserve">${this.escape(text)}</text>`,
    );
  }
  image(x, y, width, height, picture) {
    this.parts.push(
      `<image x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="none" ` +
        `style="image-rendering:pixelated" href="${picture.toDataURL()}"/>`,
    );
  }
  blob() {
    const [width, height] = this.size;
    const text =
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" font-family="${this.escape(this.font)}">` +
      `${this.parts.join("\n")}</svg>\n`;
    return new Blob([text], { type: "image/svg+xml" });
  }
}

// the cells of some rows and tokens as a picture, one pixel each
function pixels(view, rows, tokens) {
  const picture = document.createElement("canvas");
  picture.width = Math.max(tokens.to - tokens.from, 1);
  picture.height = Math.max(rows.to - rows.from, 1);
  const pen = picture.getContext("2d");
  const image = pen.createImageData(picture.width, picture.height);
  let at = 0;
  for (let row = rows.from; row < rows.to; row += 1) {
    for (let token = tokens.from; token < tokens.to; token += 1) {
      const [r, g, b] = view.colour(row, token);
      image.data[at] = r;
      image.data[at + 1] = g;
      image.data[at + 2] = b;
      image.data[at + 3] = 255;
      at += 4;
    }
  }
  pen.putImageData(image, 0, 0);
  return picture;
}

function drawLegend(paper, x, y, width, scale, theme) {
  const ticks = ticksOf(scale);
  for (let k = 0; k < width; k += 2) {
    paper.rect(x + k, y, 2.2, 9, css(legendColour(scale, k / (width - 2), theme)));
  }
  ticks.forEach((tick, k) => {
    const place = x + (k / (ticks.length - 1)) * width;
    paper.text(place, y + 22, short(scale, tick), { size: 11, fill: theme.ink, anchor: "middle" });
  });
}

// the ticks stand at equal distances, and the colours between them
function legendColour(scale, share, theme) {
  const ticks = ticksOf(scale);
  const place = share * (ticks.length - 1);
  const step = Math.min(Math.floor(place), ticks.length - 2);
  const [a, b] = [ticks[step], ticks[step + 1]];
  if (scale.kind === "log" && a * b > 0) {
    const size = Math.abs(a) * Math.abs(b / a) ** (place - step);
    return colourOf(scale, Math.sign(a) * size, theme);
  }
  return colourOf(scale, a + (b - a) * (place - step), theme);
}

// draws the whole figure, or, with no paper, only says how high it is
function draw(view, paper) {
  const { data, theme } = view;
  const fill = theme.ink;
  let y = EDGE;
  if (paper) {
    paper.rect(0, 0, PAPER_WIDTH, draw(view, null), css(theme.ground));
    paper.text(EDGE, y + 12, data.title, { size: 16, fill, weight: 600 });
    const shown = [...new Set(data.scale_of)].map((k) => data.scales[k]);
    shown.forEach((scale, k) => {
      drawLegend(paper, PAPER_WIDTH - EDGE - 240 - k * 280, y, 240, scale, theme);
    });
  }
  y += 44;
  if (data.matrix) y = drawMatrix(view, paper, y) + 12;
  if (data.strip) y = drawText(view, paper, y) + 8;
  if (paper) paper.text(EDGE, y + 12, data.caption, { size: 11, fill });
  return y + 12 + EDGE;
}

function drawMatrix(view, paper, y) {
  const { rows, tokens, marks } = view.data;
  const gutter = 44;
  const wide = PAPER_WIDTH - 2 * EDGE - gutter;
  const high = rows.length * clamp(560 / rows.length, 3, 24);
  const [cell, line] = [wide / tokens.length, high / rows.length];
  if (!paper) return y + high + 34;
  const all = (number) => ({ from: 0, to: number });
  const left = EDGE + gutter;
  const small = { size: 11, fill: view.theme.ink };
  paper.image(left, y, wide, high, pixels(view, all(rows.length), all(tokens.length)));
  const every = Math.ceil(12 / line);
  for (let row = 0; row < rows.length; row += every) {
    paper.text(left - 6, y + (row + 0.5) * line + 4, rows[row], { ...small, anchor: "end" });
  }
  for (let token = 0; token < tokens.length; token += tickEvery(cell)) {
    paper.text(left + (token + 0.5) * cell, y + high + 14, String(token), {
      ...small, anchor: "middle",
    });
  }
  for (const mark of marks) {
    const x = left + (mark.token + 1) * cell;
    paper.rect(x - 0.5, y, 1, high + 18, view.theme.ink);
    paper.text(x, y + high + 30, mark.label, { ...small, anchor: "middle" });
  }
  return y + high + 34;
}

function drawText(view, paper, y) {
  const { data, theme } = view;
  const size = 16;
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${size}px ${theme.font}`;
  const row = Math.max(view.row(), 0);
  let x = EDGE;
  const put = (text, ground) => {
    const width = pen.measureText(text).width;
    if (x + width > PAPER_WIDTH - EDGE || text === "\n") [x, y] = [EDGE, y + LINE];
    if (paper && ground) paper.rect(x, y, width + 0.3, LINE - 5, css(ground));
    if (paper) {
      paper.text(x, y + 17, text, { size, fill: ground ? ink(ground) : theme.ink });
    }
    x += width;
  };
  data.tokens.forEach((text, token) => put(text, view.colour(row, token)));
  for (const letter of ` ${data.rest}`) put(letter, null);
  return y + LINE;
}

const tickEvery = (cell) =>
  [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((step) => step * cell >= 44) ?? 2000;

async function save(view, kind) {
  const height = draw(view, null);
  const paper = new (kind === "svg" ? Svg : Canvas)(PAPER_WIDTH, height, view.theme.font);
  draw(view, paper);
  const address = URL.createObjectURL(await paper.blob());
  const link = Object.assign(document.createElement("a"), {
    href: address, download: `${view.data.file}.${kind}`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
