// A text that is being written: a prompt, then tokens, each with what else was likely.

const ALTERNATIVES = 10;

class Writer {
  constructor(network, tokenizer) {
    this.network = network;
    this.tokenizer = tokenizer;
    this.begin("");
  }

  begin(prompt) {
    this.prompt = prompt;
    this.tokens = []; // { id, logprob, best: [[id, logprob], ...] }
  }

  // the ids that the model has read and written: a newline begins every text
  ids() {
    const read = this.tokenizer.encode(this.prompt);
    return [this.tokenizer.start, ...read, ...this.tokens.map((token) => token.id)];
  }

  // keeps the tokens before a place, and puts another there
  replace(place, id) {
    const { best, logprob } = this.tokens[place];
    const known = best.find(([other]) => other === id);
    this.tokens = [...this.tokens.slice(0, place), { id, best, logprob: known?.[1] ?? logprob }];
  }

  // writes on, a token at each call of next(), for ever
  *write(options) {
    const { network, tokenizer } = this;
    this.dropUnfinished();
    // as in Python, where a text that goes on is a prompt again
    const ids = [tokenizer.start, ...tokenizer.encode(this.text())];
    const random = new Pcg64([options.seed, 0]);
    const state = network.begin();
    const values = network.room();
    for (const id of ids) network.advance(id, state, values);
    for (;;) {
      const logits = network.readOut(state);
      for (const id of tokenizer.banned) logits[id] = NEVER;
      if (tokenizer.utf8) {
        const possible = tokenizer.utf8.possible[tokenizer.utf8.stateAfter(ids)];
        for (let id = 0; id < logits.length; id += 1) if (!possible[id]) logits[id] = NEVER;
      }
      const id = draw(logits, options, random.uniform());
      const total = logSum(logits);
      ids.push(id);
      const token = { id, logprob: logits[id] - total, best: best(logits, ALTERNATIVES, total) };
      this.tokens.push(token);
      yield token;
      network.advance(id, state, values);
    }
  }

  // prompt and all that was written, composed: a syllable may begin in the prompt
  text() {
    return this.textOf(this.tokens);
  }

  textOf(tokens) {
    const written = this.tokenizer.decodeWhole(tokens.map((token) => token.id));
    return (this.prompt + written).normalize("NFC");
  }

  // forgets the tokens at the end that are only a part of a character: the text, which is gone on
  // from, is without them
  dropUnfinished() {
    const text = this.text();
    while (this.tokens.length && this.textOf(this.tokens.slice(0, -1)) === text) this.tokens.pop();
  }

  // [first token, how many, text]: tokens that only together make readable text, such as the
  // letters of a syllable or the bytes of a character
  groups() {
    const { tokenizer, tokens } = this;
    const groups = [];
    tokens.forEach(({ id }, index) => {
      const alone = tokenizer.decode([id]);
      const before = groups.at(-1);
      if (before) {
        const ids = tokens.slice(before.first, index + 1).map((token) => token.id);
        const together = tokenizer.decode(ids);
        if (together !== before.text + alone) {
          before.count += 1;
          before.text = together;
          return;
        }
      }
      groups.push({ first: index, count: 1, text: alone });
    });
    const ids = tokens.map((token) => token.id);
    const last = groups.at(-1);
    if (last && tokenizer.decode(ids) !== tokenizer.decodeWhole(ids)) {
      last.text = last.text.replace(/\ufffd$/, "");
    }
    return groups;
  }
}
