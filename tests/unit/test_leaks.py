"""Sentences on both sides of a split."""

from hypothesis import given
from hypothesis import strategies as st

from device.nlu.types import OOS
from quantize.data.example import Example
from quantize.data.leaks import drop_leaks, overlap


def said(text, intent="alarm.set", context=""):
    return Example(tuple(text.split()), intent, context=tuple(context.split()))


def test_what_is_said_counts_not_how_it_is_written():
    found = overlap([said("wake me at 7:00")], [said("wake me at seven o'clock"), said("good night")])
    assert (found.test, found.exact, found.near) == (2, 1, 0)


def test_an_article_or_a_plural_is_nearly_the_same():
    trained = [said("would you please check the emails of today"), said("something else")]
    found = overlap(trained, [said("would you please check the email of today")])
    assert (found.exact, found.near) == (0, 1)
    (pair,) = found.pairs
    assert pair.train is trained[0]
    assert 94 <= pair.similarity < 100


def test_a_small_difference_that_changes_the_intent_is_no_leak():
    on = said("please turn on all the lights in the kitchen", "light.on")
    off = said("please turn off all the lights in the kitchen", "light.off")
    assert overlap([on], [off]).near == 0
    assert drop_leaks([on], [off]) == ([on], [])


def test_the_same_words_with_another_intent_are_a_leak_that_contradicts():
    found = overlap([said("light up", "light.on")], [said("light up", "light.brighten")])
    assert (found.exact, found.contradicting) == (1, 1)
    found = overlap([said("light up", OOS), said("light up", "light.on")], [said("light up", "light.on")])
    assert (found.exact, found.contradicting) == (1, 0), "the nearest is the one with the same intent"


def test_each_test_sentence_counts_once():
    found = overlap([said("stop"), said("stop"), said("stop it")], [said("stop"), said("stop")])
    assert (found.test, found.exact, found.near) == (2, 2, 0)


def test_near_ones_can_be_left_out():
    found = overlap([said("would you please check my emails")], [said("would you please check my email")], near=101)
    assert found.near == 0


def test_dropped_is_what_the_test_knows():
    train = [said("would you check my emails please"), said("stop"), said("make coffee")]
    test = [said("would you check my email please"), said("stop")]
    assert drop_leaks(train, test) == (train[2:], train[:2])


def test_an_answer_in_its_context_is_no_leak_of_a_bare_yes():
    bare, answer = said("yes", None), said("yes", "alarm.set", "shall i set it")
    assert drop_leaks([bare, answer], [said("yes", None)]) == ([answer], [bare])
    assert drop_leaks([answer], [said("yes", "smalltalk.yes")]) == ([], [answer])


WORDS = st.lists(st.sampled_from(["wake", "me", "at", "seven", "lights", "off", "on"]), min_size=1, max_size=5)
SENTENCES = st.lists(WORDS.map(lambda words: said(" ".join(words))), max_size=8)


@given(SENTENCES, SENTENCES)
def test_nothing_known_is_left_and_nothing_is_lost(train, test):
    kept, dropped = drop_leaks(train, test)
    found = overlap(kept, test)
    assert (found.exact, found.near) == (0, 0)
    assert sorted(map(str, [*kept, *dropped])) == sorted(map(str, train))
