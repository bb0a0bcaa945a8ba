"""Exact bounds on a share of which only a sample was seen.

Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
Biometrika 26 (1934). The tail of the binomial is the regularised incomplete beta function, here by its
continued fraction (NIST Digital Library of Mathematical Functions, 8.17.22), so that no numerical library
is needed.
"""

import math
from collections.abc import Callable

_SMALLEST, _CLOSE, _MOST_STEPS = 1e-300, 1e-14, 10_000


def upper_bound(found: int, seen: int, confidence: float) -> float:
    """The share that `found` of `seen` lies below with this confidence (one-sided); 1 when none was seen.

    >>> round(upper_bound(0, 299, 0.95), 4), upper_bound(3, 3, 0.95)
    (0.01, 1.0)
    """
    if found >= seen:
        return 1.0
    return _bisect(lambda share: _at_most(found, seen, share) > 1 - confidence)


def lower_bound(found: int, seen: int, confidence: float) -> float:
    """The share that `found` of `seen` lies above with this confidence (one-sided); 0 when none was found.

    >>> round(lower_bound(299, 299, 0.95), 4), lower_bound(0, 3, 0.95)
    (0.99, 0.0)
    """
    return 1.0 - upper_bound(seen - found, seen, confidence)


def interval(found: int, seen: int, confidence: float) -> tuple[float, float]:
    """Both bounds: the share lies between them with this confidence.

    >>> [round(bound, 3) for bound in interval(1, 100, 0.95)]
    [0.0, 0.054]
    """
    each = (1 + confidence) / 2
    return lower_bound(found, seen, each), upper_bound(found, seen, each)


def _bisect(too_low: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        if too_low(middle):
            low = middle
        else:
            high = middle
    return high


def _at_most(found: int, seen: int, share: float) -> float:
    """The chance that at most `found` of `seen` have what a `share` of all have; found < seen."""
    return _incomplete_beta(seen - found, found + 1, 1 - share)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    if x <= 0.0 or x >= 1.0:
        return float(x > 0.0)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    # The fraction converges quickly on this side only; the function is symmetric.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """By the method of Lentz: the fraction's value from its front to its end."""
    c, d = 1.0, 1.0 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _SMALLEST else _SMALLEST
