"""Their thirteen categories: four that the model can speak to, nine about which it says nothing."""

from collections.abc import Callable, Mapping

Scores = Mapping[str, float]
# What is 0 here was not judged: nothing was trained for it.
NAMES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
JUDGED: Mapping[str, Callable[[Scores], float]] = {
    "harassment": lambda scores: max(scores["toxicity"], scores["insult"]),
    "harassment/threatening": lambda scores: scores["threat"],
    "hate": lambda scores: scores["identity_attack"],
    "hate/threatening": lambda scores: min(scores["identity_attack"], scores["threat"]),
}


def their_scores(scores: Scores) -> dict[str, float]:
    """Every category with its score; our scores are on their scale already.

    >>> found = their_scores({"toxicity": 0.4, "insult": 0.7, "threat": 0.1, "identity_attack": 0.2})
    >>> found["harassment"], found["hate/threatening"], found["violence"], len(found)
    (0.7, 0.1, 0.0, 13)
    """
    return {name: JUDGED[name](scores) if name in JUDGED else 0.0 for name in NAMES}
