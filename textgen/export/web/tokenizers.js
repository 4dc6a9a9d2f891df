// Text to ids and back. All take text to NFC first, with U+FFFD for lone surrogates.

const UNKNOWN = "\ufffd";

// as textgen.text.nfc: a joiner parts so many marks on one letter, which NFC would have to sort
const nfc = (text) => text
  .replace(/\p{Surrogate}/gu, UNKNOWN)
  .replace(/(\p{M}{200})(?=\p{M})/gu, "$1\u034f")
  .normalize("NFC");

// An id for each code point of the text in the form `form`: NFC, or NFD for jamo. Id 0 is unknown.
class CodePoints {
  constructor({ characters, form }) {
    this.form = form;
    this.characters = [UNKNOWN, ...characters];
    this.ids = new Map(characters.map((character, k) => [character, k + 1]));
    this.start = this.ids.get("\n");
    this.size = this.characters.length;
    this.banned = [0];
    this.utf8 = null;
  }
  split(text) {
    return [...nfc(text).normalize(this.form)];
  }
  encode(text) {
    return this.split(text).map((character) => this.ids.get(character) ?? 0);
  }
  decode(ids) {
    const text = ids.map((id) => this.characters[id]).join("");
    return this.form === "NFD" ? text.normalize("NFC") : text;
  }
  decodeWhole(ids) {
    return this.decode(ids);
  }
  token(id) {
    return this.characters[id];
  }
  unknown(text) {
    return [...new Set(this.split(text))].filter((character) => !this.ids.has(character));
  }
}

const SPACE = "\u2581"; // how pieces write a space
const UNKNOWN_PENALTY = 10;

// The pieces of a SentencePiece model, and bytes for what they cannot write.
class Pieces {
  constructor({ pieces, scores, bytes, model }) {
    this.bytes = bytes; // the id of each byte
    const byteOf = new Map(bytes.map((id, byte) => [id, byte]));
    this.texts = pieces.map((piece, id) => (id ? piece.replaceAll(SPACE, " ") : UNKNOWN));
    const utf8 = new TextEncoder();
    this.tokenBytes = this.texts.map((text, id) =>
      (byteOf.has(id) ? [byteOf.get(id)] : [...utf8.encode(text)]));
    this.size = pieces.length;
    this.banned = [0];
    this.start = pieces.indexOf("\n");
    this.utf8 = new Utf8(this.tokenBytes);
    // what a text can be made of; a newline stands for itself
    this.ids = new Map();
    this.scores = numbersOf(scores);
    this.longest = 1;
    let least = Infinity;
    pieces.forEach((piece, id) => {
      if (id === 0 || id === this.start || byteOf.has(id)) return;
      this.ids.set(piece, id);
      this.longest = Math.max(this.longest, [...piece].length);
      least = Math.min(least, this.scores[id]);
    });
    this.unknownScore = Math.fround(least - UNKNOWN_PENALTY);
    this.cut = model === "bpe" ? cutByMerging : cutByViterbi;
  }
  encode(text) {
    const escape = this.inBytes(SPACE);
    return nfc(text).split(/([\n\u2581])/).flatMap((part, k) => {
      if (k % 2) return part === "\n" ? [this.start] : escape; // the odd parts are the separators
      const pieces = this.cut(this, [...part.replaceAll(" ", SPACE)]);
      return pieces.flatMap((piece) => this.ids.get(piece) ?? this.inBytes(piece));
    });
  }
  inBytes(text) {
    return [...new TextEncoder().encode(text)].map((byte) => this.bytes[byte]);
  }
  decode(ids, options = {}) {
    const bytes = Uint8Array.from(ids.flatMap((id) => this.tokenBytes[id]));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, options);
  }
  // but for the bytes of a character that ends after them: half a character is none
  decodeWhole(ids) {
    return this.decode(ids, { stream: true });
  }
  token(id) {
    return this.texts[id];
  }
  unknown() {
    return []; // bytes write them all
  }
}

// unigram: the pieces whose scores have the largest sum (Kudo 2018). Sums are rounded where
// SentencePiece rounds them, so that of two ways alike the same is taken.
function cutByViterbi({ ids, scores, longest, unknownScore }, characters) {
  const best = characters.map(() => null); // of each end: score, where the last piece begins
  const score = (end) => (end ? best[end - 1].score : 0);
  const offer = (from, end, sum) => {
    const known = best[end - 1];
    if (!known || sum > known.score) best[end - 1] = { score: Math.fround(sum), from };
  };
  for (let from = 0; from < characters.length; from += 1) {
    let piece = "";
    for (let end = from + 1; end <= Math.min(from + longest, characters.length); end += 1) {
      piece += characters[end - 1];
      const id = ids.get(piece);
      if (id !== undefined) offer(from, end, Math.fround(scores[id] + score(from)));
    }
    if (!ids.has(characters[from])) offer(from, from + 1, Math.fround(unknownScore + score(from)));
  }
  const pieces = [];
  for (let end = characters.length; end > 0; end = best[end - 1].from) {
    pieces.unshift(characters.slice(best[end - 1].from, end).join(""));
  }
  return pieces;
}

// byte pair encoding: of all neighbours those of the best score are joined, the first of several
function cutByMerging({ ids, scores }, characters) {
  const pieces = [...characters];
  const together = (k) => scores[ids.get(pieces[k] + pieces[k + 1])] ?? -Infinity;
  const pairs = pieces.slice(1).map((_, k) => together(k));
  for (;;) {
    let best = -1;
    for (let k = 0; k < pairs.length; k += 1) {
      if (pairs[k] > (best < 0 ? -Infinity : pairs[best])) best = k;
    }
    if (best < 0) return pieces;
    pieces.splice(best, 2, pieces[best] + pieces[best + 1]);
    pairs.splice(best, 1);
    if (best < pairs.length) pairs[best] = together(best);
    if (best > 0) pairs[best - 1] = together(best - 1);
  }
}

const tokenizerOf = (about) => (about.pieces ? new Pieces(about) : new CodePoints(about));
