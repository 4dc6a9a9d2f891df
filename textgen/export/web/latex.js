// The LaTeX that the equations of cells are written in, as MathML, which browsers draw themselves.

const GREEK = { sigma: "σ", varphi: "φ", tau: "τ", alpha: "α", beta: "β" };
const SIGNS = { cdot: "·", times: "×", odot: "⊙", rightarrow: "→", "-": "−", "*": "∗" };
const SPACES = [",", ";", ":", "!", "quad"];

const tokensOf = (latex) => latex.match(/\\[a-zA-Z]+|\\.|[a-zA-Z]|\d+(?:\.\d+)?|\S/g) ?? [];

function mathml(latex) {
  const tokens = tokensOf(latex);
  let at = 0;
  const element = (name, ...children) => {
    const made = document.createElementNS("http://www.w3.org/1998/Math/MathML", name);
    made.append(...children);
    return made;
  };
  const group = () => { // {...}, or the one thing that comes next
    if (tokens[at] !== "{") return one();
    at += 1;
    const inner = [];
    while (at < tokens.length && tokens[at] !== "}") inner.push(item());
    at += 1;
    return inner.length === 1 ? inner[0] : element("mrow", ...inner);
  };
  const plain = () => { // the letters of {...}
    at += 1;
    let text = "";
    while (at < tokens.length && tokens[at] !== "}") text += tokens[at++];
    at += 1;
    return text;
  };
  const command = (name) => {
    if (name === "frac") return element("mfrac", group(), group());
    if (name === "tilde") {
      const over = element("mover", group(), element("mo", "~"));
      over.setAttribute("accent", "true");
      return over;
    }
    if (name === "mathrm" || name === "text" || name === "operatorname") {
      return upright(plain());
    }
    if (name in GREEK) return element("mi", GREEK[name]);
    if (name in SIGNS) return element("mo", SIGNS[name]);
    if (SPACES.includes(name)) return element("mspace");
    return upright(name); // \tanh, \max, ...
  };
  const upright = (text) => {
    const made = element("mi", text);
    made.setAttribute("mathvariant", "normal");
    return made;
  };
  const one = () => {
    const token = tokens[at++] ?? "";
    if (token.startsWith("\\")) return command(token.slice(1));
    if (token === "{") {
      at -= 1;
      return group();
    }
    if (/^\d/.test(token)) return element("mn", token);
    if (token === "-" && !/[\w)}]$/.test(tokens[at - 2] ?? "")) { // a sign, and no difference
      const sign = element("mo", SIGNS["-"]);
      sign.setAttribute("form", "prefix");
      return sign;
    }
    return /^[a-zA-Z]$/.test(token) ? element("mi", token) : element("mo", SIGNS[token] ?? token);
  };
  // something with what stands below and above it
  const item = () => {
    const base = one();
    let [below, above] = [null, null];
    while (["_", "^", "'"].includes(tokens[at])) {
      const mark = tokens[at++];
      if (mark === "_") below = group();
      else above = mark === "'" ? element("mo", "′") : group();
    }
    if (below && above) return element("msubsup", base, below, above);
    if (below) return element("msub", base, below);
    return above ? element("msup", base, above) : base;
  };
  const parts = [];
  while (at < tokens.length) parts.push(item());
  return element("math", ...parts);
}
