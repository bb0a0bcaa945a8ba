"""What maintainers send and get about sites, people and keys."""

from marshmallow import fields, validate

from moderation.schemas.fields import ID_LENGTH, NAME_LENGTH, URL_LENGTH, StrictSchema, Text, Utc

SITE_KEYS = ("site_secret", "site_public", "site_akismet")
ROLES = ("moderator", "maintainer")


class SiteSchema(StrictSchema):
    """A site and the policy in force."""

    id = fields.String()
    name = fields.String()
    allowed_origins = fields.List(fields.String())
    created_at = Utc()
    policy_version = fields.Integer()
    mode = fields.String()


class SiteListSchema(StrictSchema):
    """Every site."""

    items = fields.List(fields.Nested(SiteSchema))


class NewSiteSchema(StrictSchema):
    """A site to make."""

    name = Text(NAME_LENGTH, shortest=1, required=True)
    allowed_origins = fields.List(
        Text(URL_LENGTH, shortest=1), load_default=list, validate=validate.Length(max=50)
    )


class SiteMadeSchema(StrictSchema):
    """A site with its keys, which are shown this once."""

    site_id = fields.String()
    secret_key = fields.String()
    public_key = fields.String()
    akismet_key = fields.String()


class PolicySchema(StrictSchema):
    """The policy in force."""

    version = fields.Integer()
    settings = fields.Dict(
        metadata={"description": "As docs/policy.md describes them; what is left out stays"}
    )


class PolicyChangeSchema(StrictSchema):
    """Settings to change."""

    settings = fields.Dict(keys=fields.String(), required=True)


class ChangedFateSchema(StrictSchema):
    """A comment that would have fared otherwise."""

    comment_id = fields.String()
    body = fields.String()
    before = fields.String()
    after = fields.String()
    why = fields.List(fields.String())
    scores = fields.Dict(allow_none=True)


class EffectSchema(StrictSchema):
    """How the latest comments fare now and would fare."""

    replayed = fields.Integer(metadata={"description": "Comments judged once more"})
    since = Utc()
    now = fields.Dict(keys=fields.String(), values=fields.Integer())
    then = fields.Dict(keys=fields.String(), values=fields.Integer())
    changes = fields.Dict(keys=fields.String(), values=fields.Integer())
    sample = fields.List(fields.Nested(ChangedFateSchema))
    held_a_day_now = fields.Float()
    held_a_day_then = fields.Float()


class ModelTrialSchema(StrictSchema):
    """Whose comments another model is tried on."""

    site_id = Text(ID_LENGTH, required=True)
    days = fields.Integer(load_default=30, validate=validate.Range(1, 90))


class RightnessSchema(StrictSchema):
    """How right it is, as far as labels tell, with 95 % bounds; null without labels."""

    labelled = fields.Integer(metadata={"description": "Labelled comments that would have this outcome"})
    wrong = fields.Integer(metadata={"description": "Of these, the wrong ones"})
    share = fields.Float(allow_none=True, metadata={"description": "Expected share of right ones"})
    low = fields.Float(allow_none=True)
    high = fields.Float(allow_none=True)


class RightnessesSchema(StrictSchema):
    """How right what is done without a person is."""

    published = fields.Nested(RightnessSchema)
    rejected = fields.Nested(RightnessSchema)


class ModelEffectSchema(StrictSchema):
    """How a site's comments fare with the model in force (`now`) and would with another (`then`)."""

    model_version = fields.String()
    champion = fields.String()
    effect = fields.Nested(EffectSchema)
    labelled = fields.Integer(metadata={"description": "Comments among them that people labelled"})
    right_now = fields.Nested(RightnessesSchema)
    right_then = fields.Nested(RightnessesSchema)


class ProofSchema(StrictSchema):
    """The threshold that labels prove; without one, how many are missing (0: the model errs too often)."""

    threshold = fields.Float(allow_none=True)
    seen = fields.Integer(metadata={"description": "Labelled texts on the safe side of the threshold"})
    wrong = fields.Integer(metadata={"description": "Of these, the wrong ones"})
    missing = fields.Integer()


class PromiseSchema(StrictSchema):
    """The share of right decisions that a site wants of what is published, or rejected, without a person."""

    category = fields.String()
    side = fields.String(validate=validate.OneOf(["publish", "reject"]))
    share = fields.Float()
    proof = fields.Nested(
        ProofSchema, allow_none=True, metadata={"description": "None: not looked into yet for this model"}
    )


class PromisesSchema(StrictSchema):
    """A site's promises."""

    model_version = fields.String()
    confidence = fields.Float()
    items = fields.List(fields.Nested(PromiseSchema))


class KeySchema(StrictSchema):
    """A key, by a part of its digest: the key itself is kept nowhere."""

    key_id = fields.String()
    kind = fields.String()
    created_at = Utc()
    revoked_at = Utc(allow_none=True)


class KeyListSchema(StrictSchema):
    """The keys of a site."""

    items = fields.List(fields.Nested(KeySchema))


class NewKeySchema(StrictSchema):
    """The kind of key to make."""

    kind = fields.String(required=True, validate=validate.OneOf(SITE_KEYS))


class KeyMadeSchema(StrictSchema):
    """A key, which is shown this once."""

    key = fields.String()


class ModeratorSchema(StrictSchema):
    """Somebody who moderates."""

    id = fields.String(attribute="moderator.id")
    name = fields.String(attribute="moderator.name")
    role = fields.String(attribute="moderator.role")
    created_at = Utc(attribute="moderator.created_at")
    disabled_at = Utc(attribute="moderator.disabled_at", allow_none=True)
    keys = fields.List(fields.Nested(KeySchema))


class ModeratorListSchema(StrictSchema):
    """Everybody who moderates."""

    items = fields.List(fields.Nested(ModeratorSchema))


class NewModeratorSchema(StrictSchema):
    """Somebody to let in."""

    name = Text(NAME_LENGTH, shortest=1, required=True)
    role = fields.String(validate=validate.OneOf(ROLES), load_default=ROLES[0])


class ModeratorMadeSchema(StrictSchema):
    """Somebody new, with their key, which is shown this once."""

    moderator_id = fields.String()
    key = fields.String()


class ModeratorChangeSchema(StrictSchema):
    """What is to be changed; what is left out stays."""

    role = fields.String(validate=validate.OneOf(ROLES))
    disabled = fields.Boolean(truthy={True}, falsy={False})


class AuditLineSchema(StrictSchema):
    """An act of administration."""

    id = fields.String()
    at = Utc(attribute="created_at")
    actor = fields.String()
    act = fields.String()
    subject = fields.String()
    details = fields.Dict()


class AuditSchema(StrictSchema):
    """The latest acts, newest first."""

    items = fields.List(fields.Nested(AuditLineSchema))


class AuditQuerySchema(StrictSchema):
    """Which acts."""

    subject = Text(ID_LENGTH)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
