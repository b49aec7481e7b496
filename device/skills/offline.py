"""Weather, news and currency need a connection, which is off until its owner turns it on."""

from __future__ import annotations

from device.skills.api import Outcome, Request, Services
from device.skills.common import failure


class OfflineSkill:
    """Says honestly that there is no connection for this. See the packs `weather`, `news` and `currency`."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        return failure("offline")


def build_weather(_services: Services) -> OfflineSkill:
    """Weather without its link."""
    return OfflineSkill("weather")


def build_news(_services: Services) -> OfflineSkill:
    """News without its link."""
    return OfflineSkill("news")


def build_currency(_services: Services) -> OfflineSkill:
    """Exchange rates without their link."""
    return OfflineSkill("currency")
