"""The whole factory on a small language: corpora in their formats, two intents, one epoch or two."""

import json
import random

import msgspec
import pytest
import yaml

torch = pytest.importorskip("torch")

from device.errors import BadInput  # noqa: E402
from device.nlu.onnx_model import load_model  # noqa: E402
from device.nlu.pack import Pack  # noqa: E402
from models.manifest import Manifest  # noqa: E402
from quantize.data.corpora import HWU_FOLD  # noqa: E402
from quantize.data.split import Amounts, build  # noqa: E402
from quantize.pipeline import Run  # noqa: E402
from quantize.plan import Plan, Sets, StudentPlan, TeacherPlan  # noqa: E402
from quantize.shipped import PLAN, sets  # noqa: E402
from quantize.training.recipe import Recipe  # noqa: E402

pytestmark = pytest.mark.engines

PACKS = """
- skill: common
  types: {duration: {template: "(one|two|three|four|five|six) (minutes|hours)"}}
- skill: timer
  intents:
    start:
      slots: {duration: {required: true, ask: "For how long?"}}
      confirm: "Shall I start it?"
      phrases: ["(set|start|make) [a|the] timer [for {duration}]", "[please] time {duration}"]
    cancel:
      phrases: ["(cancel|remove|delete|drop) (the|my|that) timer [please]"]
"""
HEADER = "answerid;scenario;intent;answer_annotation;answer_from_anno;answer_from_user\n"


@pytest.fixture(scope="module")
def packs():
    return [msgspec.convert(entry, Pack) for entry in yaml.safe_load(PACKS)]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    chance = random.Random(1)
    numbers = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen".split()
    starts = [
        f"{verb} a timer for {n} minutes" for verb in ("set", "begin", "start", "run", "give me") for n in numbers
    ]
    cancels = [
        f"{verb} {which} timer" for verb in ("cancel", "delete", "remove") for which in ("my", "the", "that", "this")
    ]
    oos = [
        f"{verb} my {thing}"
        for verb in ("pay", "book", "mail", "paint", "sell")
        for thing in ("bill", "car", "house", "dog", "flight", "rent")
    ]
    labelled = (
        [[t, "timer"] for t in starts]
        + [[t.replace("timer", "timer now"), "timer"] for t in cancels]
        + [[t, "balance"] for t in oos]
    )
    chance.shuffle(labelled)
    cut = len(labelled) * 4 // 5
    (folder / "clinc150").mkdir()
    parts = {"train": labelled[:cut], "val": [], "oos_train": [["who is it", "oos"]], "oos_val": []}
    tests = {"test": labelled[cut:], "oos_test": [["where is my hat", "oos"]]}
    (folder / "clinc150/data_full.json").write_text(json.dumps(parts | tests))
    for part in ("trainset", "testset/csv"):
        path = folder / HWU_FOLD / part
        path.mkdir(parents=True)
        rows = "".join(
            f'1;email;query;"any mail from {n}";"x";"y"\n' for n in (numbers if part == "trainset" else ["bob"])
        )
        (path / "email_query.csv").write_text(HEADER + rows)
    for part in ("train", "valid", "test"):
        path = folder / "snips" / part
        path.mkdir(parents=True)
        (path / "seq.in").write_text(f"rate this book {'four' if part == 'test' else 'five'} stars\n")
        (path / "seq.out").write_text("O O O B-rating_value O\n")
        (path / "label").write_text("RateBook\n")
    (folder / "slurp/dataset/slurp").mkdir(parents=True)
    row = {"scenario": "email", "action": "query", "sentence_annotation": "read me the mail from [person : ann]"}
    (folder / "slurp/dataset/slurp/devel.jsonl").write_text(json.dumps(row) + "\n")
    return folder


AMOUNTS = Amounts(per_intent=40, per_slot=10, acts=10, nonsense=5)


def test_nothing_held_out_is_trained_on(data_dir, packs):
    data = build(data_dir, packs, 7, AMOUNTS)
    held_out = {example.words for example in data.test}
    assert held_out
    assert not [e for e in [*data.train, *data.dev] if e.words in held_out and e.intent is not None and not e.context]
    assert data == build(data_dir, packs, 7, AMOUNTS)
    assert [e.words for e in data.unseen] == [("where", "is", "my", "hat")]
    assert {e.words for e in data.dev}.isdisjoint(e.words for e in data.train)


def plan(**changes):
    recipe = Recipe(epochs=3, batch=16, body_rate=2e-4, head_rate=3e-3)
    student = StudentPlan(layers=(0,), recipe=recipe)
    whole = Plan(
        name="tiny",
        version="1",
        vocabulary=600,
        teachers=(TeacherPlan(recipe=recipe),),
        student=student,
        amounts=AMOUNTS,
    )
    return msgspec.structs.replace(whole, **changes)


def test_from_packs_and_corpora_to_a_bundle(data_dir, packs, tmp_path):
    torch.set_num_threads(1)
    run = Run(tmp_path / "runs", plan())
    run.data(lambda: sets(data_dir, packs, run.plan, []))
    run.teachers()
    figures = run.bundle(tmp_path / "out")
    assert figures["combined"]["intent_accuracy"] > 80
    manifest = Manifest.read(tmp_path / "out")
    manifest.verify(tmp_path / "out")
    assert "| combined |" in (tmp_path / "out/README.md").read_text()
    model = load_model(tmp_path / "out")
    assert model.predict("set a timer for six minutes".split()).intents[0][0] == "timer.start"
    # a second run finds all results and gives the same figures
    assert Run(tmp_path / "runs", run.plan).bundle(tmp_path / "out") == figures
    (tmp_path / "other").mkdir()
    (tmp_path / "other/precious.txt").write_text("x")
    with pytest.raises(BadInput, match="not a bundle"):
        run.bundle(tmp_path / "other")
    with pytest.raises(BadInput, match=r"another plan \(vocabulary was 600, is 500\)"):
        Run(tmp_path / "runs", plan(vocabulary=500))


def test_a_plan_is_read_strictly(tmp_path):
    assert Plan.read(PLAN).student.layers
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.read_text() + "\nwidth = 3\n")
    with pytest.raises(BadInput, match="width"):
        Plan.read(path)
    path.write_text(PLAN.read_text().replace("epochs = ", "epochs = -"))
    with pytest.raises(BadInput, match="epochs"):
        Plan.read(path)
    with pytest.raises(BadInput, match="can't be read"):
        Plan.read(tmp_path / "none.toml")
    for other in PLAN.parent.glob("*.toml"):
        Plan.read(other)


def test_another_student_of_the_same_teachers(data_dir, packs, tmp_path):
    run = Run(tmp_path / "runs", plan())
    run.data(lambda: sets(data_dir, packs, run.plan, []))
    run.teachers()
    teacher = (tmp_path / "runs/teacher-1.pt").read_bytes()
    deeper = msgspec.structs.replace(run.plan.student, layers=(0, 5), aware_epochs=1)
    other = run.derived(tmp_path / "deeper", plan(student=deeper))
    assert len(other.student().encoder.encoder.layer) == 2
    before, after = (torch.load(tmp_path / f"deeper/{name}.pt") for name in ("student", "student-aware"))
    moved = max((after[name] - before[name]).abs().max().item() for name in before)
    assert 0 < moved < 0.05  # fine-tuned with the board's roundings, not trained anew
    assert not (tmp_path / "runs/student.pt").exists()

    mine = Sets(run.examples("train")[:50], run.examples("dev"), run.examples("test"), run.labels)
    third = run.derived(tmp_path / "third", plan(name="third"), lambda: mine)
    third.teachers()  # nothing is trained again; only the opinions are on other sentences
    assert len(third.examples("train")) == 50
    assert (tmp_path / "third/teacher-1.pt").read_bytes() == teacher
    assert len(third.student().encoder.encoder.layer) == 1
    others = msgspec.structs.replace(run.labels, slot_types=("colour",))
    with pytest.raises(BadInput, match="other labels"):
        run.derived(tmp_path / "fourth", plan(), lambda: Sets(mine.train, mine.dev, mine.test, others))
