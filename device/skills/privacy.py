"""What the device keeps about people, and forgetting it."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from device.dialogue.spoken import number_of
from device.nlu.types import DateValue
from device.skills.api import Change, Outcome, Request, Services
from device.skills.common import unknown_intent
from device.store.personal import Personal
from device.store.turns import History


class PrivacySkill:
    """See the pack `privacy`; the dialogue has had forgetting confirmed."""

    name = "privacy"

    def __init__(self, personal: Personal, history: History) -> None:
        self._personal = personal
        self._history = history

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "forget":
                return self._forget(request)
            case "report":
                return self._report()
        raise unknown_intent(self.name, request)

    def _forget(self, request: Request) -> Outcome:
        """Everything, or what was said on some days. There is no undo: gone means gone."""
        span = request.value("date")
        if isinstance(span, DateValue):
            zone = request.now.tzinfo
            start = datetime.combine(span.start, time.min, zone)
            count = self._history.forget(start, datetime.combine(span.end + timedelta(days=1), time.min, zone))
            key = "turns"
        else:
            count = self._personal.forget()
            key = "done"
        if not count:
            return Outcome("none")
        return Outcome(key, {"count": count}, (Change(self.name, "forget", "data", {"entries": count}),))

    def _report(self) -> Outcome:
        kept = tuple(number_of(count, *names) for names, count in self._personal.counts().items() if count)
        return Outcome("kept", {"kept": kept}) if kept else Outcome("nothing")


def build(services: Services) -> PrivacySkill:
    """The skill with everything that is kept."""
    return PrivacySkill(Personal(services.database), History(services.database))
