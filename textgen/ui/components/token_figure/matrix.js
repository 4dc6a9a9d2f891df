// The canvas of units x tokens. Only what is in sight is drawn, whatever the whole would measure.

const GUTTER = 44; // px for the names of rows
const AXIS = 34; // px for the numbers of tokens
const TALLEST = 420;
const SMALLEST = 3; // px of a cell
const LARGEST = 22;
const FAR = 10; // cells that Shift moves at once

const visible = (text) => text.replaceAll(" ", "␣").replaceAll("\n", "↵").replaceAll("\t", "⇥");

class Matrix {
  constructor(figure) {
    this.figure = figure;
    const { title, labels } = figure.data;
    const scroll = make("div", "scroll");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "application");
    scroll.setAttribute("aria-label", `${title}. ${labels.keys}`);
    this.canvas = make("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", title);
    this.space = make("div");
    this.space.append(this.canvas);
    scroll.append(this.space);
    scroll.onscroll = () => figure.repaint();
    scroll.onpointermove = (event) => figure.point(this.cellAt(event), event);
    scroll.onpointerleave = () => figure.point(null);
    scroll.onblur = () => figure.point(null);
    scroll.onkeydown = (event) => this.key(event);
    scroll.onclick = (event) => {
      const cell = this.cellAt(event);
      if (cell) figure.setPin(cell.row, cell.token);
    };
    this.element = scroll;
  }

  // cells fill the width, but never so small that they cannot be pointed at
  resize(room, zoom) {
    const { rows, tokens } = this.figure.data;
    const wide = clamp((room - GUTTER - 2) / tokens.length, SMALLEST, 4 * LARGEST);
    const high = clamp((TALLEST - AXIS) / rows.length, SMALLEST, LARGEST);
    this.cell = [wide * zoom, high * (rows.length > 8 ? zoom : 1)];
    const full = [GUTTER + tokens.length * this.cell[0], rows.length * this.cell[1] + AXIS];
    this.element.style.height = `${Math.min(full[1], TALLEST) + 2}px`;
    this.space.style.width = `${Math.floor(full[0])}px`;
    this.space.style.height = `${Math.floor(full[1])}px`;
  }

  cellAt(event) {
    const { element } = this;
    const box = element.getBoundingClientRect();
    const x = event.clientX - box.left - element.clientLeft;
    const y = event.clientY - box.top - element.clientTop;
    if (x < GUTTER || y > element.clientHeight - AXIS) return null;
    const token = Math.floor((x - GUTTER + element.scrollLeft) / this.cell[0]);
    const row = Math.floor((y + element.scrollTop) / this.cell[1]);
    const { rows, tokens } = this.figure.data;
    return row < rows.length && token < tokens.length ? { row, token } : null;
  }

  key(event) {
    const { figure } = this;
    const { rows, tokens } = figure.data;
    const step = event.shiftKey ? FAR : 1;
    const now = figure.hover ?? figure.pin;
    const cell = { row: Math.max(now.row, 0), token: Math.max(now.token, 0) };
    const moves = {
      ArrowRight: [0, step], ArrowLeft: [0, -step], ArrowDown: [step, 0], ArrowUp: [-step, 0],
      PageDown: [FAR, 0], PageUp: [-FAR, 0], Home: [0, -tokens.length], End: [0, tokens.length],
    };
    if (event.key in moves) {
      const [down, right] = moves[event.key];
      figure.go({
        row: clamp(cell.row + down, 0, rows.length - 1),
        token: clamp(cell.token + right, 0, tokens.length - 1),
      });
    } else if (event.key === "Enter" || event.key === " ") figure.setPin(cell.row, cell.token);
    else if (event.key === "Escape") figure.setPin(-1, -1);
    else return;
    event.preventDefault();
  }

  bringIntoSight({ row, token }) {
    const { element, cell: [wide, high] } = this;
    const fit = (now, at, size, room) => clamp(now, at + size - room, at);
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = element;
    element.scrollLeft = fit(scrollLeft, token * wide, wide, clientWidth - GUTTER);
    element.scrollTop = fit(scrollTop, row * high, high, clientHeight - AXIS);
  }

  paint() {
    const { figure } = this;
    const { clientWidth: width, clientHeight: height, scrollLeft, scrollTop } = this.element;
    const [wide, high] = this.cell;
    const bottom = height - AXIS;
    const pen = this.clear(width, height);
    const seen = (from, room, size, number) => ({
      from: Math.floor(from / size), to: Math.min(Math.ceil((from + room) / size), number),
    });
    const { rows, tokens, marks } = figure.data;
    const columns = seen(scrollLeft, width - GUTTER, wide, tokens.length);
    const lines = seen(scrollTop, bottom, high, rows.length);
    const x = (token) => GUTTER + token * wide - scrollLeft;
    const y = (row) => row * high - scrollTop;
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER, 0, width - GUTTER, bottom);
    pen.clip();
    pen.imageSmoothingEnabled = false;
    const cells = pixels(figure, lines, columns);
    pen.drawImage(cells, x(columns.from), y(lines.from), cells.width * wide, cells.height * high);
    // two colours, so that it stands out from any ground
    const outline = (left, top, across, down, dash) => {
      for (const [stroke, line] of [["#fff", 3], ["#000", 1]]) {
        pen.strokeStyle = stroke;
        pen.lineWidth = line;
        pen.setLineDash(dash);
        pen.strokeRect(left, top, across, down);
      }
    };
    for (const mark of marks) outline(x(mark.token + 1), -9, 0, height + 18, [4, 4]);
    for (const [cell, dash] of [[figure.pin, []], [figure.hover, [3, 3]]]) {
      if (cell && cell.row >= 0) outline(-9, y(cell.row), width + 18, high, dash);
      if (cell && cell.token >= 0) outline(x(cell.token), -9, wide, height + 18, dash);
    }
    pen.restore();
    this.letter(pen, lines, columns, x, y, width, bottom);
  }

  // a clean sheet of the size of what is in sight
  clear(width, height) {
    const dense = window.devicePixelRatio || 1;
    const size = [width, height].map((length) => Math.round(length * dense));
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) {
      [this.canvas.width, this.canvas.height] = size;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    return pen;
  }

  // the names of rows, the numbers of tokens (where there is room, the tokens) and the marks
  letter(pen, lines, columns, x, y, width, bottom) {
    const { data: { rows, tokens, marks }, theme } = this.figure;
    const [wide, high] = this.cell;
    pen.fillStyle = theme.ink;
    pen.font = `11px ${theme.font}`;
    pen.textAlign = "right";
    const every = Math.ceil(13 / high);
    for (let row = lines.from - (lines.from % every); row < lines.to; row += every) {
      const at = y(row) + high / 2 + 4;
      if (at > 8 && at < bottom + 4) pen.fillText(rows[row], GUTTER - 6, at);
    }
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER - 4, bottom, width - GUTTER + 4, AXIS);
    pen.clip();
    pen.textAlign = "center";
    const words = wide >= 16;
    const step = words ? 1 : tickEvery(wide);
    for (let token = Math.ceil(columns.from / step) * step; token < columns.to; token += step) {
      pen.fillText(words ? visible(tokens[token]) : token, x(token) + wide / 2, bottom + 13);
    }
    for (const mark of marks) {
      pen.textAlign = mark.token > tokens.length * 0.8 ? "right" : "left";
      pen.fillText(`▲ ${mark.label}`, x(mark.token + 1) - 4, bottom + 28);
    }
    pen.restore();
  }
}
