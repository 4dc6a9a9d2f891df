// The model: token -> embedding -> cells -> logits, with its state in the open. `update`, `shares`
// and `ownSummands` are made from the equations of the cell, in Python.

// base64 of little-endian float32, or of float16 -> numbers
function numbersOf(text, half = false) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < bytes.length; k += 1) bytes[k] = letters.charCodeAt(k);
  if (!half) return new Float32Array(bytes.buffer);
  const halves = new Uint16Array(bytes.buffer);
  const table = Float32Array.from({ length: 65536 }, (_, bits) => ofHalf(bits));
  return Float32Array.from(halves, (bits) => table[bits]);
}

function ofHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
}

class Network {
  // about: sizes and the cell's words; numbers: all weights, one after the other, as `about.weights`
  // lists them
  constructor(about, numbers) {
    Object.assign(this, about);
    const { cell, hidden: size, vocabulary, layers } = about;
    this.width = cell.blocks.length * size;
    const weights = {};
    let at = 0;
    let room = 0;
    for (const [name, shape] of about.weights) {
      const length = shape.reduce((product, n) => product * n, 1);
      weights[name] = numbers.subarray(at, at + length);
      at += length;
      room += padded(shape[0]) * padded(shape[1] ?? 1) * 4;
    }
    room += 4 * (layers * padded(this.width) * 4 + 8 * padded(vocabulary) + 16 * padded(size) * layers);
    room += 4 * padded(size) * padded(vocabulary) + 4096;
    this.arithmetic = new Arithmetic(room);
    this.embeddings = weights["embedding.embeddings"];
    this.layers = Array.from({ length: layers }, (_, k) => this.layer(weights, `recurrent.${k}.`, k));
    this.head = this.arithmetic.matrix(weights["head.kernel"] ?? this.turned(), size, vocabulary);
    this.bias = weights["head.bias"];
    this.logits = this.arithmetic.floats(vocabulary);
    this.first = []; // what each token brings to the first layer, once it was met
  }

  layer(weights, prefix, k) {
    const { cell, hidden: size } = this;
    const inputs = k ? size : this.embedding;
    const { arithmetic } = this;
    const bias = weights[`${prefix}bias`];
    return {
      x: arithmetic.floats(inputs),
      kernel: arithmetic.matrix(weights[`${prefix}kernel`], inputs, this.width),
      recurrent: cell.recurrent
        ? arithmetic.matrix(weights[`${prefix}recurrent_kernel`], size, this.width) : null,
      biases: [bias.subarray(0, this.width), bias.subarray(this.width)],
      extra: cell.extra.map((name) => weights[prefix + name]),
      h: arithmetic.floats(size),
      a: arithmetic.floats(this.width),
      p: arithmetic.floats(this.width),
    };
  }

  // tied weights: the embeddings, rows and columns exchanged
  turned() {
    const { hidden: size, vocabulary, embeddings } = this;
    return Float32Array.from({ length: size * vocabulary }, (_, k) =>
      embeddings[(k % vocabulary) * size + Math.floor(k / vocabulary)]);
  }

  // a state that knows nothing: for each layer the parts that the cell names
  begin() {
    return this.layers.map(() => this.cell.state.map(() => new Float32Array(this.hidden)));
  }

  // arrays for all that the equations name
  room() {
    return this.layers.map(() =>
      Object.fromEntries(this.cell.values.map((name) => [name, new Float32Array(this.hidden)])));
  }

  // one token: the state after it, put in the place of the one before. values: as `room` gives them
  advance(id, state, values) {
    this.layers.forEach((layer, k) => {
      const { a, p, h, x } = layer;
      if (k === 0) a.set(this.broughtBy(id));
      else {
        x.set(state[k - 1][0]);
        this.project(layer);
      }
      if (layer.recurrent) {
        h.set(state[k][0]);
        p.fill(0);
        p.set(layer.biases[1]);
        this.arithmetic.addProduct(h, layer.recurrent, p);
      }
      update(this.hidden, a, p, state[k], layer.extra, values[k]);
    });
  }

  // a = W x + b
  project({ a, x, kernel, biases }) {
    a.fill(0);
    a.set(biases[0]);
    this.arithmetic.addProduct(x, kernel, a);
  }

  // that of the first layer hangs on the token alone
  broughtBy(id) {
    if (!this.first[id]) {
      const [layer] = this.layers;
      layer.x.set(this.embeddings.subarray(id * this.embedding, (id + 1) * this.embedding));
      this.project(layer);
      this.first[id] = layer.a.slice();
    }
    return this.first[id];
  }

  // what the state says of the next token; good until the next call
  readOut(state) {
    const { h } = this.layers.at(-1);
    h.set(state.at(-1)[0]);
    this.logits.fill(0);
    this.logits.set(this.bias);
    this.arithmetic.addProduct(h, this.head, this.logits);
    return this.logits.subarray(0, this.vocabulary);
  }

  // all that the equations name, of every unit at every token: a row for each, by layer and name
  trace(ids) {
    const courses = this.layers.map(() => Object.fromEntries(
      this.cell.values.map((name) => [name, new Float32Array(ids.length * this.hidden)])));
    const state = this.begin();
    ids.forEach((id, token) => {
      const [from, to] = [token * this.hidden, (token + 1) * this.hidden];
      const values = courses.map((layer) => Object.fromEntries(
        Object.entries(layer).map(([name, course]) => [name, course.subarray(from, to)])));
      this.advance(id, state, values);
    });
    return courses;
  }

  // all that the equations of one unit name at a token: its values, those one token before
  // ("was_C"), and the summands of its pre-activations ("f_x", "f_h", "f_b", "f_b2", "f_C")
  unitValues(ids, courses, k, unit, token) {
    const { cell, hidden: size, width } = this;
    const layer = this.layers[k];
    const at = (course, when) => (when < 0 ? 0 : course[when * size + unit]);
    const v = {};
    for (const [name, course] of Object.entries(courses[k])) {
      v[name] = at(course, token);
      v[`was_${name}`] = at(course, token - 1);
    }
    const x = k ? courses[k - 1].h.subarray(token * size, (token + 1) * size)
      : this.embeddings.subarray(ids[token] * this.embedding, (ids[token] + 1) * this.embedding);
    const was = token ? courses[k].h.subarray((token - 1) * size, token * size) : [];
    const times = (vector, matrix, column) => {
      let sum = 0;
      for (let row = 0; row < vector.length; row += 1) {
        sum += vector[row] * matrix[row * padded(width) + column];
      }
      return sum;
    };
    cell.blocks.forEach((block, number) => {
      const column = number * size + unit;
      v[`${block}_x`] = times(x, layer.kernel, column);
      if (layer.recurrent) v[`${block}_h`] = times(was, layer.recurrent, column);
      v[`${block}_b`] = layer.biases[0][column];
      if (layer.biases[1].length) v[`${block}_b2`] = layer.biases[1][column];
    });
    return Object.assign(v, ownSummands(v, layer.extra, unit, size));
  }
}
