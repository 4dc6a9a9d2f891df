// Which tokens can come next, so that what is written is UTF-8, where a token may be a lone byte.

// of each state the bytes that it takes: first, last, the state after them (Unicode 3.9)
const TAKES = [
  [ // 0: a character may begin
    [0x00, 0x7f, 0], [0xc2, 0xdf, 1], [0xe0, 0xe0, 4], [0xe1, 0xec, 2], [0xed, 0xed, 5],
    [0xee, 0xef, 2], [0xf0, 0xf0, 6], [0xf1, 0xf3, 3], [0xf4, 0xf4, 7],
  ],
  [[0x80, 0xbf, 0]], // 1, 2, 3: so many bytes are lacking
  [[0x80, 0xbf, 1]],
  [[0x80, 0xbf, 2]],
  [[0xa0, 0xbf, 1]], // 4: two, and less would be a shorter character, written too long
  [[0x80, 0x9f, 1]], // 5: two, and more would be half a pair of UTF-16
  [[0x90, 0xbf, 2]], // 6: three, as 4
  [[0x80, 0x8f, 2]], // 7: three, and more would be beyond Unicode
];
const BROKEN = TAKES.length;

class Utf8 {
  // tokenBytes: of each token whole characters, or one byte
  constructor(tokenBytes) {
    this.after = TAKES.map((_, state) => Uint8Array.from(tokenBytes, (bytes) =>
      bytes.reduce((now, byte) => afterByte(now, byte), state)));
    this.possible = this.after.map((states) => states.map((state) => Number(state !== BROKEN)));
  }

  // the state after the ids so far: it hangs on the last three alone
  stateAfter(ids) {
    return ids.slice(-3).reduce((state, id) => {
      const after = this.after[state][id];
      return after === BROKEN ? 0 : after;
    }, 0);
  }
}

function afterByte(state, byte) {
  const range = TAKES[state]?.find(([first, last]) => first <= byte && byte <= last);
  return range ? range[2] : BROKEN;
}
