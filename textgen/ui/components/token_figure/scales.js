// Numbers to colours, and the numbers in words. The files of this folder are one module.

// cividis (Nuñez, Anderton & Renslow 2018), made to look alike to every eye, at equal steps
const CIVIDIS = [
  "#00224e", "#123570", "#3b496c", "#575d6d", "#707173",
  "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838",
].map(rgb);
// below and above zero, alike in lightness; brighter on dark ground
const SIGNED = {
  light: [rgb("#d06000"), rgb("#0072b2")],
  dark: [rgb("#e69f00"), rgb("#56b4e9")],
};

function rgb(text) {
  const hex = text.trim().replace("#", "");
  if (/^[0-9a-f]{6}$/i.test(hex)) return [0, 2, 4].map((k) => parseInt(hex.slice(k, k + 2), 16));
  return (text.match(/[\d.]+/g) ?? [128, 128, 128]).slice(0, 3).map(Number);
}

const css = (colour) => `rgb(${colour.map(Math.round).join(",")})`;
const mix = (a, b, share) => a.map((part, k) => part + (b[k] - part) * share);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// relative luminance (WCAG 2)
function luminance(colour) {
  const [r, g, b] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const ink = (ground) => (luminance(ground) > 0.179 ? "#000" : "#fff");

// where a value stands on its scale: 0 to 1, or, where it has a sign, -1 to 1
function position(scale, value) {
  if (scale.kind === "share") return clamp(value, 0, 1);
  if (scale.kind === "signed") return clamp(value / scale.end, -1, 1);
  if (Math.abs(value) < scale.floor) return 0;
  const size = Math.log(Math.abs(value) / scale.begin) / Math.log(scale.end / scale.begin);
  return Math.sign(value) * clamp(size, 0, 1); // "log": nothing below `begin` is tinted
}

function colourOf(scale, value, theme) {
  const at = position(scale, value);
  if (scale.kind !== "share") {
    return mix(theme.ground, SIGNED[theme.name][at < 0 ? 0 : 1], Math.abs(at));
  }
  const place = at * (CIVIDIS.length - 1);
  const step = Math.min(Math.floor(place), CIVIDIS.length - 2);
  return mix(CIVIDIS[step], CIVIDIS[step + 1], place - step);
}

// of the legend, from left to right
function ticksOf(scale) {
  if (scale.kind === "share") return [0, 0.25, 0.5, 0.75, 1];
  if (scale.kind === "signed") return [-scale.end, 0, scale.end];
  const ticks = [];
  for (let tick = scale.end; tick >= scale.begin * 0.99; tick /= 10) ticks.push(tick);
  return [...ticks.map((tick) => -tick), ...ticks.reverse()];
}

const numeral = (scale, value) => {
  const digits = scale.kind === "share" || Math.abs(value) >= 0.1 ? 3 : 4;
  const text = Math.abs(value).toFixed(digits);
  return scale.kind === "share" ? text : (value < 0 ? "−" : "+") + text;
};

// a logarithmic legend has no room for every tick: the ends, and a hundredth of them
const short = (scale, tick) => {
  const wanted = [scale.end, scale.end / 100].some((label) => Math.abs(Math.abs(tick) / label - 1) < 0.01);
  if (scale.kind === "log" && !wanted) return "";
  const text = String(Number(Math.abs(tick).toPrecision(2)));
  return scale.kind === "share" || !tick ? text : (tick < 0 ? "−" : "+") + text;
};

// base64 of little-endian float16 -> numbers
function decode(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const halves = new Uint16Array(bytes.buffer);
  const values = new Float32Array(halves.length);
  for (let k = 0; k < halves.length; k += 1) {
    const sign = halves[k] & 0x8000 ? -1 : 1;
    const exponent = (halves[k] >> 10) & 31;
    const fraction = halves[k] & 1023;
    values[k] = sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  }
  return values;
}
