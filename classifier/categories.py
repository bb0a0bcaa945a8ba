"""What a comment is scored for."""

CATEGORIES = ("spam", "toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
