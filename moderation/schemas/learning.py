"""What maintainers send and get: models, retraining runs and labels."""

from datetime import UTC

from marshmallow import fields, validate

from moderation.schemas.fields import (
    BODY_LENGTH,
    EMAIL_LENGTH,
    ID_LENGTH,
    NAME_LENGTH,
    TITLE_LENGTH,
    URL_LENGTH,
    Labels,
    StrictSchema,
    Text,
    Utc,
)


class ModelSchema(StrictSchema):
    """A model version."""

    version = fields.String()
    champion = fields.Boolean()
    created_at = fields.String()
    parent = fields.String(allow_none=True)
    sha256 = fields.String()
    metrics = fields.Dict()


class ModelListSchema(StrictSchema):
    """Every model version."""

    items = fields.List(fields.Nested(ModelSchema))
    next_cursor = fields.String(allow_none=True)


class PeriodSchema(StrictSchema):
    """Comments that were compared."""

    since = Utc()
    until = Utc()
    comments = fields.Integer(metadata={"description": "Different texts, spread evenly over the period"})


class ShiftSchema(StrictSchema):
    """How far the scores of a category moved."""

    category = fields.String()
    index = fields.Float(metadata={"description": "The population stability index"})
    chance = fields.Float(metadata={"description": "What it stays below by chance"})
    level = fields.String(metadata={"enum": ["none", "watch", "alarm"]})


class NewWordsSchema(StrictSchema):
    """The share of words that a sample of the model's first weeks did not bring."""

    share_then = fields.Float()
    share_now = fields.Float()
    texts_then = fields.Integer()
    texts_now = fields.Integer()
    level = fields.String(allow_none=True, metadata={"enum": ["none", "watch", "alarm", None]})


class DriftSchema(StrictSchema):
    """How far what comes is from a model's first weeks; `level` null while too few comments came."""

    level = fields.String(allow_none=True, metadata={"enum": ["none", "watch", "alarm", None]})
    told = fields.String()
    looked_at = Utc()
    reference = fields.Nested(PeriodSchema)
    recent = fields.Nested(PeriodSchema)
    categories = fields.List(fields.Nested(ShiftSchema))
    words = fields.Nested(NewWordsSchema)


class ModelCardSchema(StrictSchema):
    """A model version with its card; `drift` null before a first period was kept."""

    version = fields.String()
    champion = fields.Boolean()
    card = fields.Dict()
    drift = fields.Nested(DriftSchema, allow_none=True)


class DifferenceSchema(StrictSchema):
    """How a category's scores differ from those of the model that decided."""

    category = fields.String()
    mean = fields.Float(metadata={"description": "By how much the shadow scores higher on average"})
    absolute = fields.Float(metadata={"description": "How far its scores are off on average"})


class ComparisonSchema(StrictSchema):
    """A shadow beside the model that decided."""

    comments = fields.Integer()
    differing = fields.Integer(metadata={"description": "Comments whose verdict would have been another"})
    agreement = fields.Float(allow_none=True)
    changes = fields.Dict(keys=fields.String(), values=fields.Integer())
    categories = fields.List(fields.Nested(DifferenceSchema))


class ShadowSchema(StrictSchema):
    """A model version that scores, or scored, beside the one in force and decides nothing."""

    id = fields.String()
    model_version = fields.String()
    begun_by = fields.String()
    begun_at = Utc()
    ended_at = Utc(allow_none=True)
    ended_because = fields.String(allow_none=True)
    comparison = fields.Nested(ComparisonSchema)


class ChampionSchema(StrictSchema):
    """The model in force."""

    champion = fields.String()


class ExpectedSchema(StrictSchema):
    """The champion that whoever asks has seen; another one in force meanwhile refuses the request."""

    expected = Text(ID_LENGTH)


class NewRunSchema(StrictSchema):
    """Whose labels a run uses; those of all sites unless one is named."""

    site_id = Text(ID_LENGTH, allow_none=True)


class RunSchema(StrictSchema):
    """A retraining run."""

    id = fields.String()
    status = fields.String()
    reason = fields.String(allow_none=True)
    requested_by = fields.String()
    site_id = fields.String(allow_none=True)
    label_count = fields.Integer()
    champion = fields.String(allow_none=True)
    challenger = fields.String(allow_none=True)
    new_version = fields.Function(lambda run: run.challenger if run.status == "promoted" else None)
    metrics = fields.Dict()
    created_at = Utc()
    started_at = Utc(allow_none=True)
    finished_at = Utc(allow_none=True)


class RunListSchema(StrictSchema):
    """The latest retraining runs, newest first."""

    items = fields.List(fields.Nested(RunSchema))
    next_cursor = fields.String(allow_none=True)


class LabelAuthorSchema(StrictSchema):
    """Who wrote a labelled text."""

    name = Text(NAME_LENGTH, allow_none=True)
    email = Text(EMAIL_LENGTH, allow_none=True)
    url = Text(URL_LENGTH, allow_none=True)


class LabelThreadSchema(StrictSchema):
    """Where a labelled text stood."""

    title = Text(TITLE_LENGTH, allow_none=True)


class LabelLineSchema(StrictSchema):
    """One line of labels: a comment of this installation by its id, or a text from elsewhere."""

    comment_id = Text(ID_LENGTH, allow_none=True)
    body = Text(BODY_LENGTH, shortest=1, allow_none=True)
    author = fields.Nested(LabelAuthorSchema, allow_none=True)
    thread = fields.Nested(LabelThreadSchema, allow_none=True)
    labels = Labels(required=True, validate=validate.Length(min=1))
    # Written by the export; read back and left aside.
    source = fields.String(allow_none=True)
    at = fields.AwareDateTime(
        format="iso", default_timezone=UTC, allow_none=True, metadata={"description": "When it was learned"}
    )


class ImportProblemSchema(StrictSchema):
    """A line that was not taken, and why."""

    line = fields.Integer()
    detail = fields.String()


class ImportedSchema(StrictSchema):
    """What became of an import."""

    taken = fields.Integer()
    refused = fields.Integer()
    problems = fields.List(fields.Nested(ImportProblemSchema), metadata={"description": "The first hundred"})
