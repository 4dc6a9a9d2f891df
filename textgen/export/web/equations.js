// The equations of a cell, with the numbers of one unit put in.

// four places after the point, one more than a result has; "+" always with its sign, "()" in brackets when negative
function inFormat(value, format) {
  const text = value.toFixed(4);
  if (format === "+") return value < 0 ? text : `+${text}`;
  return format === "()" && value < 0 ? `(${text})` : text;
}

// as Python's str.format: {f_h:+} is a place, {{ and }} are braces
function filledIn(template, values) {
  return template.replace(/\{\{|\}\}|\{([^{}:]+)(?::([^{}]*))?\}/g, (whole, name, format) => {
    if (whole === "{{") return "{";
    return whole === "}}" ? "}" : inFormat(values[name], format);
  });
}

const leftSide = (cell, value) =>
  (value === "c" ? String.raw`\tilde ${cell.carried}_t` : `${value}_t`);

const LONGEST = 42; // characters of LaTeX that fit a phone together with the result

// an equation of the cell: in symbols, then in numbers, and what comes out
function linesOf(cell, equation, values) {
  const activated = (latex) => latex.replaceAll(String.raw`\varphi`, cell.activation);
  const numbers = filledIn(activated(equation.numbers), values);
  const result = values[equation.value].toFixed(3);
  return [
    `${leftSide(cell, equation.value)} = ${activated(equation.symbols)}`,
    ...(numbers.length > LONGEST ? [`= ${numbers}`, `= ${result}`] : [`= ${numbers} = ${result}`]),
  ];
}
