"""What sites asked and reported at the doors that answer at once, added up."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from moderation.models.base import Base


class SpamCheckMonth(Base):
    """The spam checks of one blog of a site in one month (`YYYY-MM`), counted in the commit of each."""

    __tablename__ = "spam_check_months"

    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    blog: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int]
    spam: Mapped[int]
    ham: Mapped[int]
    missed_spam: Mapped[int]
    false_positives: Mapped[int]
