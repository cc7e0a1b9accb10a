# SPDX-License-Identifier: MIT
"""Files and trees that are pushed: the same bytes on every machine."""

import random

MEBI = 1 << 20


class Text:
    """Something like source code: words of different frequency, indented lines."""

    def __init__(self, rng, size=3 * MEBI):
        letters = "etaoinshrdlucmfwypvbgkjqxz_"
        words = ["".join(rng.choices(letters, k=rng.randint(2, 11))) for _ in range(4000)]
        weights = [1 / (i + 3) for i in range(len(words))]
        lines, total = [], 0
        while total < size:
            again = lines and rng.random() < 0.4
            lines.append(lines[-rng.randint(1, min(len(lines), 400))] if again else
                         self.line(rng, words, weights))
            total += len(lines[-1])
        self.pool = "".join(lines).encode()

    @staticmethod
    def line(rng, words, weights):
        chosen = " ".join(rng.choices(words, weights, k=rng.randint(2, 9)))
        return "  " * rng.randint(0, 4) + chosen + rng.choice([";", " {", "", ",", ")"]) + "\n"

    def cut(self, rng, size):
        start = rng.randrange(len(self.pool) - size)
        return self.pool[start:start + size]


def write(root, name, data):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def mixed_tree(root):
    """About 440 MB in 12,000 files: 200 MB of random bytes, the rest compresses."""
    rng = random.Random(1)
    text = Text(rng)
    for number in range(40):
        write(root, f"data/{number:02}.bin", rng.randbytes(5_000_000))
    for number in range(11_960):
        size = min(int(rng.lognormvariate(9.19, 1.2)) + 1, 400_000)
        write(root, f"src/d{number % 170:03}/s{number % 7}/f{number}.c", text.cut(rng, size))


def tiny_tree(root):
    """100,000 files of 20 to 400 bytes in 500 directories."""
    rng = random.Random(2)
    text = Text(rng, MEBI)
    for number in range(100_000):
        write(root, f"d{number % 500:03}/f{number}", text.cut(rng, rng.randint(20, 400)))


def small_files(root, count=1000, size=10 << 10):
    """Files of random bytes; gives their names."""
    rng = random.Random(3)
    names = [f"f{number}" for number in range(count)]
    for name in names:
        write(root, name, rng.randbytes(size))
    return names
