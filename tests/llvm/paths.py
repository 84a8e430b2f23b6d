"""What a translator may get wrong about the ways through a function; run, never imported for use.

Each function reads its arguments from the arrays and leaves its results there.
"""

# mypy: ignore-errors


def branches(reals, wholes):
    x, k = reals[0], wholes[0]
    kind = 0
    if x < 0.0:
        kind = 1
        if k > 0:
            kind = 2
    elif k == 0 or x > 1.0:
        kind = 3
    else:
        x = -x
    reals[1] = x
    wholes[1] = kind


def either_type(reals, wholes):
    a = 0
    if wholes[0] > 0:
        a = reals[0]
    b = 1
    for _ in range(wholes[1]):
        b = b * 0.5
    reals[1] = a
    reals[2] = b


def loops(reals, wholes):
    total = 0
    for i in range(wholes[0]):
        if i == 3:
            continue
        for j in range(i, wholes[1]):
            if j * i > 20:
                break
            total += j - i
        if total > 1000:
            break
    down = 0
    for i in range(wholes[0], wholes[2], -2):
        down = down * 3 + i
    wholes[3] = total
    wholes[4] = down


def until(reals, wholes):
    x, n = reals[0], 0
    while True:
        if n >= 30:
            n = -n
            break
        x = 0.5 * x + wholes[0]
        n += 1
        if abs(x) < 1.0:
            break
    while n > 0 and x < 100.0:
        x = x + 1.0
        n -= 1
    reals[1] = x
    wholes[1] = n


def early(reals, wholes):
    reals[1] = first_above(reals[0], wholes[0])
    reals[2], wholes[2] = pair_of(reals[0], wholes[1])


def first_above(x, n):
    for i in range(n):
        if i * 0.5 > x:
            return i
    return x - 1.0


def pair_of(x, k):
    if k > 2:
        return x, k
    if k == 0:
        return 0, 0
    return -x, k + 1


def tuples(reals, wholes):
    u = (reals[0], reals[1])
    v = (1.0, 2)
    for _ in range(wholes[0]):
        u, v = (u[1], u[0] + v[0]), u
    (a, b), c = u, v
    reals[2] = a
    reals[3] = b
    reals[4] = c[1]


def only_if_needed(reals, wholes):
    i = wholes[0]
    inside = i >= 0 and i < 8 and reals[i] > 0.0
    outside = i < 0 or i >= 8 or not reals[i] > 0.0
    wholes[1] = inside
    wholes[2] = outside
    wholes[3] = reals[i] if wholes[4] >= 0 and inside else -1.0 * i


def sometimes(reals, wholes):
    k = wholes[0]
    if k > 0:
        late = reals[0] * 2.0
    y = 0.0
    if k > 0:
        y = late
    reals[1] = y


def divisions(reals, wholes):
    a, b = wholes[0], wholes[1]
    if b != 0:
        wholes[2] = a // b
        wholes[3] = a % b
    wholes[4] = a // 7 + (a % -5) * 100
    reals[1] = a / 4 + (a << 2) + (a >> 1) + (a & 6) + (a | 1) + (a ^ 3)


def extremes(reals, wholes):
    reals[3] = min(reals[0], reals[1], wholes[0])
    reals[4] = max(reals[0], reals[1])
    reals[5] = abs(reals[0]) + abs(wholes[0])
    wholes[2] = int(reals[2]) + (wholes[1] if reals[2] > 0.5 else -wholes[1])
    wholes[3] = (reals[0] < reals[1]) != (wholes[0] < wholes[1])
    wholes[4] = (reals[0] < reals[1]) + 2


def shadows(reals, wholes):
    i = 5
    for k in range(3):
        i = i + k
        k = 10 * k
        wholes[k // 10] = i
    wholes[4] = i


def slices(reals, wholes):
    i = 1 + abs(wholes[0]) % 3
    part = reals[i : i + abs(wholes[1]) % 4]
    for k in range(len(part)):
        part[k] = k + 0.5
    wholes[3] = len(part) + 10 * len(reals[i:]) + 100 * len(reals[:i])
    wholes[4] = len(reals[2:2]) + len(wholes[1:3])


PATHS = (
    branches,
    either_type,
    loops,
    until,
    early,
    tuples,
    only_if_needed,
    sometimes,
    divisions,
    extremes,
    shadows,
    slices,
)
HELPERS = (first_above, pair_of)
