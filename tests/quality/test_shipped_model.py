"""The shipped bundle on sentences of our own wording, which stand in no corpus and follow no pack's phrase."""

from pathlib import Path

import pytest

from device.nlu.onnx_model import load_model
from device.nlu.pack import PACKS_DIR, load_packs
from device.nlu.text import words
from device.nlu.types import OOS, Act
from models.manifest import Manifest

BUNDLE = Path(__file__).parents[2] / "models" / "artefacts" / "homebody-en"

pytestmark = pytest.mark.engines

GOLDEN = """
count me down from twenty five minutes | timer.start | duration: twenty five minutes
i need a pasta timer of nine minutes | timer.start | name: pasta; duration: nine minutes
ping me when a quarter of an hour is over | timer.start | duration: a quarter of an hour
how many minutes are left on that timer | timer.query |
scrap the pasta timer | timer.cancel | name: pasta
hold the timer for a second | timer.pause |
let the timer go on | timer.resume |
put another two minutes on the timer | timer.extend | duration: two minutes
i have to be up at ten to six tomorrow | alarm.set | time: ten to six; date: tomorrow
get me out of bed at half past five every weekday | alarm.set | time: half past five; recurrence: every weekday
which alarms are on for tomorrow | alarm.query | date: tomorrow
kill the six thirty alarm | alarm.cancel | time: six thirty
let me have ten minutes more in bed | alarm.snooze | duration: ten minutes
please remind me at noon to feed the fish | reminder.set | time: noon; message: feed the fish
remind me on sunday to ring aunt carol | reminder.set | date: sunday; message: ring aunt carol
what am i supposed to be reminded of today | reminder.query | date: today
drop the reminder about the fish | reminder.cancel | message: the fish
stick oat milk on the shopping list | list.add | item: oat milk; list: shopping
we've got no more washing powder put it on the list | list.add |
what do we still have on the grocery list | list.query | list: grocery
strike the candles off my shopping list | list.remove | item: candles; list: shopping
make my to do list empty | list.clear | list: to do
pencil in lunch with stella on thursday in my calendar | calendar.add | message: lunch with stella; date: thursday
what is planned in my diary for next week | calendar.query | date: next week
cross tomorrow's dentist appointment out of my calendar | calendar.remove |
could we have some light in the hallway | light.on | room: hallway
kill the lights in the nursery | light.off | room: nursery
it's too bright in the study dim the lights | light.dim | room: study
a bit more light in the bathroom please | light.brighten | room: bathroom
put the bedroom lights at thirty five percent | light.set | room: bedroom; percent: thirty five percent
i'd love the lounge lights in turquoise | light.color | room: lounge; color: turquoise
fire up the espresso machine | switch.on | device: espresso machine
shut down the heater in the office | switch.off | device: heater; room: office
have it twenty one degrees in the living room | climate.set | temperature: twenty one degrees; room: living room
i'm freezing make it warmer in here | climate.up |
it's boiling turn the heating down | climate.down |
how many degrees is it in the bedroom | climate.query | room: bedroom
pull up the kitchen blinds | cover.open |
let the shutters down in the bedroom | cover.close | room: bedroom
make sure the back door is locked | lock.lock | device: back door
please open the lock of the front door | lock.unlock | device: front door
send the robot to vacuum the kitchen | vacuum.start | device: robot; room: kitchen
the vacuum should go back to its dock | vacuum.stop |
get the house ready for movie night | scene.activate | scene: movie night
put the volume at sixty percent | volume.set | percent: sixty percent
i can hardly hear anything turn it up | volume.up |
that's way too loud | volume.down |
no more sound please mute it | volume.mute |
sound back on | volume.unmute |
put on some flamenco | media.play | genre: flamenco
i'm in the mood for something by nina simone | media.play | artist: nina simone
start the audiobook moby dick | media.play | title: moby dick
hold the music for a moment | media.pause |
carry on with the song | media.resume |
i don't like this one skip it | media.next |
play the song before this one again | media.previous |
who is singing here | media.query |
this track is one of my favourites | media.like |
mix up the order of the songs | media.shuffle |
switch off the telly | tv.off |
change the channel to arte | tv.channel | channel: arte
put the tv on channel forty two | tv.channel | number: forty two
show me the tv programme for tonight | tv.guide | date: tonight
i want to see the captions | tv.subtitles |
switch the television over to the playstation | tv.input | input: playstation
launch youtube on the tv | tv.app | app: youtube
any idea which film we could see tonight | recommend.watch |
how late is it right now | time.query |
what's the clock saying in nairobi | time.query | place: nairobi
which date do we have today | date.query |
do i have to take an umbrella to oslo tomorrow | weather.query | place: oslo; date: tomorrow
how cold does it get on friday | weather.query | date: friday
read me today's headlines | news.query |
how much is eighteen times seven | math.compute | expression: eighteen times seven
how many ounces are there in three pounds | unit.convert | unit: ounces; amount: three; unit: pounds
how many yen do i get for fifty euros | currency.convert | currency: yen; amount: fifty; currency: euros
what does the word lugubrious mean | word.define | word: lugubrious
how do you write the word rhubarb spell it | word.spell | word: rhubarb
give me a funny one liner | joke.tell |
let a coin decide | random.pick |
note down that the spare key is under the pot | note.remember | message: the spare key is under the pot
tell everybody that the soup is ready | announce.broadcast | message: the soup is ready
that is not at all what i meant | feedback.wrong |
which commands do you understand | system.help |
tell me who you are | system.identity |
good evening to you | smalltalk.greet |
many thanks that was helpful | smalltalk.thanks |
""".strip()

OUT_OF_SCOPE = """
book me a table at the italian place around the corner
what is my bank balance
order a taxi to the airport
send an email to my landlord about the rent
should i refinance my mortgage this year
she told me that he never came back
which flight goes to denver on monday morning
translate good night into portuguese
how do i change a flat tire
and the crowd goes wild in the final minute
buy ten shares of that company
what is the best way to train a puppy
""".strip()

DIALOGUE = """
For what time? | half past eight | inform | alarm.set | time: half past eight
How long? | forty minutes please | inform | timer.start | duration: forty minutes
Timer set for ten minutes. | no i said fifteen minutes | correct | timer.start | duration: fifteen minutes
Shall I unlock the front door? | yes please do | affirm | lock.unlock |
Shall I unlock the front door? | no better not | deny | lock.unlock |
What shall I remind you of? | never mind | cancel | system.cancel |
For what time? | sorry what did you say | repeat | system.repeat |
Which one: kitchen or bedroom? | the second one | select | |
Timer set for ten minutes. | switch on the kitchen lights | command | light.on | room: kitchen
""".strip()


@pytest.fixture(scope="module")
def model():
    return load_model(BUNDLE)


def slots_of(text, spans):
    said = words(text)
    return sorted(f"{span.type}: {' '.join(said[span.start : span.end])}" for span in spans)


def expected_slots(cell):
    return sorted(part.strip() for part in cell.split(";") if part.strip())


def test_the_manifest_verifies_and_names_its_sources():
    manifest = Manifest.read(BUNDLE)
    manifest.verify(BUNDLE)
    assert {"README.md", "model.onnx", "tokenizer.json", "labels.json"} <= set(manifest.files)
    assert all(source.licence for source in manifest.provenance)
    assert (BUNDLE / "model.onnx").stat().st_size <= 12_000_000


def test_it_knows_every_intent_and_slot_type_of_the_packs(model):
    packs = load_packs(PACKS_DIR)
    specs = [spec for pack in packs for spec in pack.intents.values()]
    assert {name for pack in packs for name in pack.intent_names()} == set(model.labels.intents) - {OOS}
    assert {spec.slot_type(slot) for spec in specs for slot in spec.slots} == set(model.labels.slot_types)


def test_the_held_out_figures_reach_their_targets():
    combined = Manifest.read(BUNDLE).metrics["held_out"]["combined"]
    assert combined["intent_accuracy"] >= 92
    assert combined["slot_f1"] >= 80
    assert combined["auroc"] >= 0.95
    assert combined["in_scope_rejected"] <= 5


def test_intents_of_our_own_sentences(model):
    wrong = []
    for line in GOLDEN.splitlines():
        text, intent, _ = (cell.strip() for cell in line.split("|"))
        prediction = model.predict(words(text))
        if prediction.intents[0][0] != intent or not prediction.accepted:
            wrong.append(f"{text}: {prediction.intents[0]}, in scope {prediction.in_scope:.2f}")
    assert len(wrong) <= 0.05 * len(GOLDEN.splitlines()), "\n".join(wrong)


def test_slots_of_our_own_sentences(model):
    wrong = []
    lines = [line for line in GOLDEN.splitlines() if line.split("|")[2].strip()]
    for line in lines:
        text, _, cell = (part.strip() for part in line.split("|"))
        found = slots_of(text, model.predict(words(text)).slots)
        if found != expected_slots(cell):
            wrong.append(f"{text}: {found} instead of {expected_slots(cell)}")
    assert len(wrong) <= 0.2 * len(lines), "\n".join(wrong)


def test_what_it_can_not_do_is_refused(model):
    accepted = [text for text in OUT_OF_SCOPE.splitlines() if model.predict(words(text)).accepted]
    assert len(accepted) <= 1, accepted


@pytest.mark.parametrize("line", DIALOGUE.splitlines())
def test_answers_mean_what_was_asked(model, line):
    context, text, act, intent, *cell = (part.strip() for part in line.split("|"))
    prediction = model.predict(words(text), context)
    assert prediction.acts[0][0] is Act(act), prediction.acts[:2]
    if intent:
        assert prediction.intents[0][0] == intent, prediction.intents[:2]
    if cell and cell[0]:
        assert slots_of(text, prediction.slots) == expected_slots(cell[0])
