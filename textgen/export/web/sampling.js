// From logits to the token that is written: temperature, top-k, top-p, min-p, in this order.

const NEVER = -1e30; // of a logit that is never sampled
const COLDEST = 1e-30; // a temperature below is 0: the likeliest token

// ln of the sum of e^x
function logSum(logits) {
  const most = logits[likeliest(logits)];
  let sum = 0;
  for (let id = 0; id < logits.length; id += 1) sum += Math.exp(logits[id] - most);
  return most + Math.log(sum);
}

// the place of the largest, the first of several
function likeliest(logits) {
  let best = 0;
  for (let id = 1; id < logits.length; id += 1) if (logits[id] > logits[best]) best = id;
  return best;
}

// the token that a number from 0 to 1 chooses
function draw(logits, { temperature, topK, topP, minP }, uniform) {
  const likely = likeliest(logits);
  if (temperature <= COLDEST) return likely;
  const changed = new Float32Array(logits.length);
  for (let id = 0; id < logits.length; id += 1) {
    changed[id] = Math.max((logits[id] - logits[likely]) / temperature, NEVER);
  }
  const leastOf = (threshold) => {
    for (let id = 0; id < changed.length; id += 1) if (changed[id] < threshold) changed[id] = NEVER;
  };
  if (topK > 0) leastOf(changed.slice().sort().at(-topK) ?? NEVER);
  if (topP < 1) leastOf(thresholdOf(changed, topP));
  if (minP > 0) leastOf(Math.log(minP)); // the largest is 0
  const sums = new Float64Array(changed.length);
  let total = 0;
  for (let id = 0; id < changed.length; id += 1) {
    total += Math.exp(changed[id]);
    sums[id] = total;
  }
  let id = 0;
  while (id < sums.length - 1 && sums[id] <= uniform * total) id += 1;
  return id;
}

// the smallest of the largest logits that make up the share p; the largest is 0. Of a thousand few
// are likely: those alone are put in order, unless they do not make up p
function thresholdOf(logits, p) {
  let whole = 0;
  for (let id = 0; id < logits.length; id += 1) whole += Math.exp(logits[id]);
  for (const least of [-12, -Infinity]) {
    const ordered = logits.filter((logit) => logit > least).sort();
    let sum = 0;
    for (let k = ordered.length - 1; k >= 0; k -= 1) {
      sum += Math.exp(ordered[k]);
      if (sum >= p * whole) return ordered[k];
    }
  }
  return -Infinity;
}

// the k likeliest, best first: [id, natural log of the probability]
function best(logits, k, total) {
  const found = [];
  for (let id = 0; id < logits.length; id += 1) {
    const logit = logits[id];
    if (logit <= NEVER / 1e10 || (found.length === k && logit <= found[k - 1][1])) continue;
    let at = found.length;
    while (at > 0 && found[at - 1][1] < logit) at -= 1;
    found.splice(at, 0, [id, logit]);
    if (found.length > k) found.pop();
  }
  return found.map(([id, logit]) => [id, logit - total]);
}
