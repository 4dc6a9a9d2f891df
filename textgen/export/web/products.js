// out += x W, four numbers at a time. JavaScript has no such numbers, WebAssembly has: its program
// is written out here, instruction by instruction. Where it may not run, JavaScript does the same.

const LANES = 4;
const padded = (size) => Math.ceil(size / LANES) * LANES;

// the types and instructions that are used, by their codes in the WebAssembly specification
const I32 = 0x7f;
const V128 = 0x7b;
const get = (local) => [0x20, local];
const set = (local) => [0x21, local];
const tee = (local) => [0x22, local];
const constant = (number) => [0x41, ...signed(number)];
const ADD = 0x6a;
const MULTIPLY = 0x6c;
const LESS = 0x49; // unsigned
const vector = (...code) => [0xfd, ...code];
const load = (offset = 0) => vector(0x00, 4, ...unsigned(offset));
const store = vector(0x0b, 4, 0);
const splat = (offset) => vector(0x09, 2, ...unsigned(offset)); // one float, four times
const VECTOR_ADD = vector(0xe4, 0x01);
const VECTOR_MULTIPLY = vector(0xe6, 0x01);
const loop = (...body) => [0x03, 0x40, ...body.flat(), 0x0b];
const again = [0x0d, 0]; // where the number on the stack is not 0

function unsigned(number) {
  return number < 0x80 ? [number] : [(number & 0x7f) | 0x80, ...unsigned(number >>> 7)];
}

function signed(number) {
  const last = number >= -0x40 && number < 0x40;
  return last ? [number & 0x7f] : [(number & 0x7f) | 0x80, ...signed(number >> 7)];
}

// the program: addProduct(x, w, end, width, out), addresses and lengths in bytes. Four rows of W at
// a time are taken by four numbers of x; `end` is where x ends, `width` how long a row is.
function program() {
  const [X, W, END, WIDTH, OUT] = [0, 1, 2, 3, 4];
  const [AT, ROW, STOP] = [5, 6, 7]; // where in out; where in the first of the four rows
  const X0 = 8; // four vectors: a number of x each
  const plus = (k) => [
    get(X0 + k),
    get(ROW),
    ...Array.from({ length: k }, () => [get(WIDTH), [ADD]]),
    load(),
    VECTOR_MULTIPLY,
    VECTOR_ADD,
  ].flat(2);
  const columns = loop(
    get(AT), get(AT), load(),
    plus(0), plus(1), plus(2), plus(3),
    store,
    get(ROW), constant(16), [ADD], set(ROW),
    get(AT), constant(16), [ADD], tee(AT),
    get(STOP), [LESS], again,
  );
  const rows = loop(
    ...[0, 1, 2, 3].map((k) => [...get(X), ...splat(4 * k), ...set(X0 + k)]),
    get(W), set(ROW),
    get(OUT), tee(AT), get(WIDTH), [ADD], set(STOP),
    columns,
    get(W), get(WIDTH), constant(4), [MULTIPLY, ADD], set(W),
    get(X), constant(16), [ADD], tee(X),
    get(END), [LESS], again,
  );
  const body = [2, 3, I32, 4, V128, ...rows, 0x0b];
  const section = (number, ...content) => [number, ...unsigned(content.length), ...content];
  const name = (text) => [text.length, ...new TextEncoder().encode(text)];
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // "\0asm", version 1
    ...section(1, 1, 0x60, 5, I32, I32, I32, I32, I32, 0), // the type of a function
    ...section(2, 1, ...name("page"), ...name("memory"), 2, 0, 0), // the memory comes from here
    ...section(3, 1, 0),
    ...section(7, 1, ...name("addProduct"), 0, 0),
    ...section(10, 1, ...unsigned(body.length), ...body),
  ]);
}

// Room for all numbers of a model, and the product over it.
class Arithmetic {
  constructor(bytes) {
    try {
      const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) + 1 });
      const made = new WebAssembly.Module(program());
      const { addProduct } = new WebAssembly.Instance(made, { page: { memory } }).exports;
      this.buffer = memory.buffer;
      this.run = (x, w, out) =>
        addProduct(x.byteOffset, w.byteOffset, x.byteOffset + x.byteLength, out.byteLength, out.byteOffset);
    } catch { // no WebAssembly, or none with vectors
      this.buffer = new ArrayBuffer(bytes);
      this.run = addProductSlowly;
    }
    this.used = 0;
  }

  // zeros, as many as fill vectors
  floats(length) {
    const at = this.used;
    this.used += padded(length) * 4;
    return new Float32Array(this.buffer, at, padded(length));
  }

  // a matrix with rows and columns as vectors have them
  matrix(values, rows, columns) {
    const made = this.floats(padded(rows) * padded(columns));
    for (let row = 0; row < rows; row += 1) {
      made.set(values.subarray(row * columns, (row + 1) * columns), row * padded(columns));
    }
    return made;
  }

  // out += x w
  addProduct(x, w, out) {
    this.run(x, w, out);
  }
}

function addProductSlowly(x, w, out) {
  const width = out.length;
  for (let row = 0; row < x.length; row += LANES) {
    const [a, b, c, d] = x.subarray(row, row + LANES);
    const w0 = row * width;
    const [w1, w2, w3] = [w0 + width, w0 + 2 * width, w0 + 3 * width];
    for (let k = 0; k < width; k += 1) {
      out[k] += a * w[w0 + k] + b * w[w1 + k] + c * w[w2 + k] + d * w[w3 + k];
    }
  }
}
