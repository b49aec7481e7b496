import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from device.nlu.tokenizer import WordTokenizer

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "turn", "on", "the", "light", "##s", "kit", "##chen", "'", "what", "s"]
ID = {piece: index for index, piece in enumerate(PIECES)}


def make(max_tokens=16):
    tokenizer = Tokenizer(models.WordPiece({**ID}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return WordTokenizer(tokenizer, max_tokens)


def test_marks_the_first_piece_of_each_word():
    encoding = make().encode("turn on the kitchen lights".split())
    names = [PIECES[i] for i in encoding.ids]
    assert names == ["[CLS]", "turn", "on", "the", "kit", "##chen", "light", "##s", "[SEP]"]
    assert [names[i] for i in encoding.first] == ["turn", "on", "the", "kit", "light"]
    assert set(encoding.segments) == {0}


def test_context_is_the_second_segment():
    encoding = make().encode(["on"], ["the", "lights"])
    assert [PIECES[i] for i in encoding.ids] == ["[CLS]", "on", "[SEP]", "the", "light", "##s", "[SEP]"]
    assert encoding.segments == [0, 0, 0, 1, 1, 1, 1]
    assert encoding.first == [1]


def test_a_word_with_an_apostrophe_is_one_word():
    encoding = make().encode(["what's", "on"])
    assert [PIECES[i] for i in encoding.ids] == ["[CLS]", "what", "'", "s", "on", "[SEP]"]
    assert encoding.first == [1, 4]


def test_unknown_words_are_one_unknown_piece():
    assert make().encode(["zebra", ""]).ids == [ID["[CLS]"], ID["[UNK]"], ID["[UNK]"], ID["[SEP]"]]


def test_the_end_of_a_long_context_is_kept():
    encoding = make(8).encode(["on"], ["the"] * 20 + ["light"])
    assert len(encoding.ids) == 8
    assert [PIECES[i] for i in encoding.ids][-2:] == ["light", "[SEP]"]


@given(
    st.lists(st.sampled_from(["turn", "kitchen", "zebra", "lights"]), max_size=30),
    st.lists(st.just("the"), max_size=30),
)
def test_never_longer_than_the_model_takes(words, context):
    encoding = make(12).encode(words, context)
    assert len(encoding.ids) == len(encoding.segments) <= 12
    assert len(encoding.first) <= len(words)
    assert all(encoding.segments[i] == 0 for i in encoding.first)
    assert encoding.ids[0] == ID["[CLS]"]
    assert encoding.ids[-1] == ID["[SEP]"]


def test_needs_the_special_pieces(tmp_path):
    with pytest.raises(ValueError, match="lacks"):
        WordTokenizer(Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]")), 16)
    path = tmp_path / "tokenizer.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=r"tokenizer\.json is not a tokenizer"):
        WordTokenizer.read(path, 16)
