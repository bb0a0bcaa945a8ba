"""Which of their attributes this service's model has, and which it has not."""

# Their name to our category. PROFANITY is the nearest of Jigsaw's own labels, "obscene".
CATEGORY_OF = {
    "TOXICITY": "toxicity",
    "TOXICITY_FAST": "toxicity",
    "SEVERE_TOXICITY": "severe_toxicity",
    "IDENTITY_ATTACK": "identity_attack",
    "INSULT": "insult",
    "PROFANITY": "obscene",
    "THREAT": "threat",
    "OBSCENE": "obscene",
    "SPAM": "spam",
}
CATEGORY_OF |= {
    f"{name}_EXPERIMENTAL": CATEGORY_OF[name]
    for name in ("TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT")
}
# Known to clients, but nothing here was trained for them: an error, never a made-up number.
NOT_HERE = (
    "SEXUALLY_EXPLICIT",
    "FLIRTATION",
    "ATTACK_ON_AUTHOR",
    "ATTACK_ON_COMMENTER",
    "ATTACK_ON_PUBLISHER",
    "INCOHERENT",
    "INFLAMMATORY",
    "LIKELY_TO_REJECT",
    "UNSUBSTANTIAL",
    "OFF_TOPIC",
)
# Languages among the labelled comments on which the model was judged (docs/model-card.md).
LANGUAGES = ("en", "de", "pt", "ko")
