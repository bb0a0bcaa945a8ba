"""How the networks that are shipped are trained, and how large they are."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Plan:
    """How to train; the sizes decide the model's size and speed, the rest was chosen on dev."""

    table_bits: int = 18
    pair_bits: int = 17
    inward: int = 32
    windows: int = 64
    hidden: int = 96
    epochs: int = 7
    unlabelled: float = 0.45
    batch: int = 256
    rate: float = 2e-3
    decay: float = 0.02
    words_dropped: float = 0.1
    units_dropped: float = 0.2
    longest: int = 250
    disguised: float = 0.25
    mistyped: float = 0.0
    other_terms: float = 0.3
    padded: float = 0.45
    unlabelled_padded: float = 0.2
    context_kept: float = 0.6
    averaged: float = 0.995
    teacher_share: float = 0.9
    foreign_share: float = 0.7
    stretch: int = 30
    by_stretches: bool = False
    last_epochs: int = 2
    last_rate: float = 4e-4
    last_disguised: float = 0.3
    last_mistyped: float = 0.4
    last_padded: float = 0.45
    # Whether the table begins with what an encoder makes of words (`word_vectors`), and not at random.
    knows_words: bool = False
    seed: int = 0


def last_part(plan: Plan) -> Plan:
    """The plan of the last epochs: slower, by stretches, and with other and more disguises.

    Not of all epochs: learnt from the first on, that much padding costs spam that is found by itself.
    """
    return replace(
        plan,
        knows_words=False,
        epochs=plan.last_epochs,
        rate=plan.last_rate,
        disguised=plan.last_disguised,
        mistyped=plan.last_mistyped,
        padded=plan.last_padded,
        by_stretches=True,
        seed=plan.seed + 1,
    )


def abroad_plan(plan: Plan, *, knows_words: bool) -> Plan:
    """The plan of the network for other languages: few comments want small tables and batches, few epochs.

    Only these few need words that are known before: a million English comments teach as much themselves.
    """
    small = replace(plan, table_bits=plan.table_bits - 2, pair_bits=plan.pair_bits - 2, batch=16)
    # What is known of words before takes more room than what is learnt of them.
    wide = replace(small, inward=2 * plan.inward, knows_words=knows_words)
    return replace(wide, epochs=4, last_epochs=0, foreign_share=0.5)
