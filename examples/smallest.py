"""A language model in one file: text in, text out, with the layers that Keras has.

    python examples/smallest.py diary.txt "오늘은 "

Reads a text, learns to say which character comes next, and writes on from a beginning.
"""

import sys

import keras
import numpy as np

LENGTH, BATCH, UNITS, EPOCHS = 64, 32, 128, 10
WRITTEN, TEMPERATURE = 200, 0.8


# 1. the text, and a number for each of its characters
def read(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return text, sorted(set(text))


# 2. windows of LENGTH characters, and the same windows one character later: what comes next
def windows(text, characters):
    ids = np.array([characters.index(c) for c in text])
    starts = range(0, len(ids) - LENGTH, LENGTH // 2)
    inputs = np.stack([ids[at : at + LENGTH] for at in starts])
    targets = np.stack([ids[at + 1 : at + LENGTH + 1] for at in starts])
    return inputs, targets


# 3. a vector for each character, an LSTM over them, a score for each character that may follow
def build(size):
    model = keras.Sequential(
        [
            keras.layers.Embedding(size, 32),
            keras.layers.LSTM(UNITS, return_sequences=True),
            keras.layers.Dense(size),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.004, clipnorm=1.0), loss)
    return model


# 4. draw a character, put it behind the text, and ask again
def write(model, characters, beginning):
    known = {c: k for k, c in enumerate(characters)}
    ids = [known[c] for c in beginning]
    draw = np.random.default_rng(1)
    for _ in range(WRITTEN):
        window = np.zeros((1, LENGTH), int)
        recent = ids[-LENGTH:]
        window[0, : len(recent)] = recent
        scores = model.predict_on_batch(window)[0, len(recent) - 1] / TEMPERATURE
        shares = np.exp(scores.astype(float) - scores.max())
        ids.append(int(draw.choice(len(shares), p=shares / shares.sum())))
    return "".join(characters[k] for k in ids)


def main():
    path, beginning = sys.argv[1], sys.argv[2]
    keras.utils.set_random_seed(1)
    text, characters = read(path)
    inputs, targets = windows(text, characters)
    model = build(len(characters))
    model.fit(inputs, targets, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    print(write(model, characters, beginning))


if __name__ == "__main__":
    main()
