// The random numbers of NumPy's PCG64 (O'Neill 2014) and SeedSequence, so that a seed writes here
// what it writes in Python.

const WORD = 0xffffffffn;
const LONG = (1n << 64n) - 1n;
const VAST = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const LARGEST_UNIFORM = 1 - 2 ** -20;

// a hash whose constant moves on with every word; the numbers are those of SeedSequence
function hasher(constant, factor) {
  return (word) => {
    let value = word ^ constant;
    constant = Math.imul(constant, factor) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
}

function stirred(x, y) {
  const value = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) >>> 0;
  return (value ^ (value >>> 16)) >>> 0;
}

// the words of 32 bits of a whole number, smallest first
function partsOf(number) {
  const words = [];
  for (let rest = BigInt(number); words.length === 0 || rest > 0n; rest >>= 32n) {
    words.push(Number(rest & WORD));
  }
  return words;
}

// eight words of 32 bits from whole numbers
function seedWords(numbers) {
  const entropy = numbers.flatMap(partsOf);
  const hash = hasher(0x43b0d7e5, 0x931e8875);
  const pool = [0, 1, 2, 3].map((k) => hash(entropy[k] ?? 0));
  for (let from = 0; from < 4; from += 1) {
    for (let to = 0; to < 4; to += 1) {
      if (from !== to) pool[to] = stirred(pool[to], hash(pool[from]));
    }
  }
  for (const word of entropy.slice(4)) {
    for (let to = 0; to < 4; to += 1) pool[to] = stirred(pool[to], hash(word));
  }
  const last = hasher(0x8b51f9dd, 0x58f38ded);
  return Array.from({ length: 8 }, (_, k) => last(pool[k % 4]));
}

class Pcg64 {
  constructor(numbers) {
    const words = seedWords(numbers).map(BigInt);
    const long = (k) => words[2 * k] | (words[2 * k + 1] << 32n);
    this.increment = ((((long(2) << 64n) | long(3)) << 1n) | 1n) & VAST;
    this.state = 0n;
    this.step();
    this.state = (this.state + ((long(0) << 64n) | long(1))) & VAST;
    this.step();
    this.spare = null; // the upper half of the last 64 bits
  }

  step() {
    this.state = (this.state * MULTIPLIER + this.increment) & VAST;
  }

  word() {
    if (this.spare !== null) {
      const word = this.spare;
      this.spare = null;
      return word;
    }
    this.step();
    const mixed = (this.state >> 64n) ^ (this.state & LONG);
    const turn = this.state >> 122n;
    const bits = ((mixed >> turn) | (mixed << (64n - turn))) & LONG;
    this.spare = Number(bits >> 32n);
    return Number(bits & WORD);
  }

  // a number from 0 to 1, of 24 bits, never so near 1 that rounding steps past the last token
  uniform() {
    return Math.min((this.word() >>> 8) * 2 ** -24, LARGEST_UNIFORM);
  }
}
