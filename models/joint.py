"""The joint model: one BERT encoder, four heads (intent, slots, dialogue act, sentence embedding).

Joint intent and slot heads on one encoder follow Chen et al. 2019 (JointBERT, arXiv 1902.10909); mean pooling
follows Reimers and Gurevych 2019 (arXiv 1908.10084). The input is a pair: utterance (segment 0), then what the
device last said (segment 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from models.crf import SlotField
from models.labels import LabelSchema


class JointOutput(NamedTuple):
    """Outputs for a batch of B inputs of T word pieces; the field names are the ONNX outputs.

    Attributes:
        intent_logits: [B, intents].
        slot_logits: [B, T, slot labels]; only the first piece of each word is trained.
        act_logits: [B, acts].
        embedding: [B, hidden], mean over the utterance's pieces, unit length.
    """

    intent_logits: Tensor
    slot_logits: Tensor
    act_logits: Tensor
    embedding: Tensor


class Trace(NamedTuple):
    """What a student may imitate inside an encoder, from the embeddings upwards.

    Attributes:
        hidden: Of each layer, [B, T, hidden]; the embeddings first.
        attention: Of each layer, [B, heads, T, T]; empty unless the encoder was built to give them.
    """

    hidden: tuple[Tensor, ...]
    attention: tuple[Tensor, ...]


class JointModel(nn.Module):
    """Encoder and heads.

    Args:
        config: Of the encoder, a BERT, which is built without pooler and at random.
        labels: Sizes of the heads.
        dropout: Of the heads' inputs.
        crf: Train the slot head under a conditional random field, whose steps the device then decodes with.
    """

    def __init__(self, config: BertConfig, labels: LabelSchema, dropout: float = 0.1, crf: bool = False) -> None:
        super().__init__()
        self.config = config
        self.encoder = BertModel(config, add_pooling_layer=False)  # type: ignore[no-untyped-call]
        self.dropout = nn.Dropout(dropout)
        self.intent_head = nn.Linear(config.hidden_size, len(labels.intents))
        self.slot_head = nn.Linear(config.hidden_size, len(labels.slot_labels))
        self.act_head = nn.Linear(config.hidden_size, len(labels.acts))
        self.crf = SlotField(len(labels.slot_labels)) if crf else None

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> JointOutput:
        """Run a batch; all inputs are int64 [B, T], `token_type_ids` 0 for the utterance and 1 for the context."""
        return self.traced(input_ids, attention_mask, token_type_ids)[0]

    def traced(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[JointOutput, Trace]:
        """As `forward`, and what happened inside."""
        output = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            output_hidden_states=True,
        )
        trace = Trace(output.hidden_states, output.attentions or ())
        return self.heads(output.last_hidden_state, attention_mask, token_type_ids), trace

    def heads(self, hidden: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> JointOutput:
        """Apply the heads to the last hidden state [B, T, hidden]."""
        utterance = (attention_mask * (1 - token_type_ids)).unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * utterance).sum(1) / utterance.sum(1)
        dropped = self.dropout(pooled)
        return JointOutput(
            self.intent_head(dropped),
            self.slot_head(self.dropout(hidden)),
            self.act_head(dropped),
            nn.functional.normalize(pooled, dim=-1),
        )


def from_pretrained(
    folder: Path, labels: LabelSchema, vocabulary: Sequence[int], max_tokens: int, crf: bool = False
) -> JointModel:
    """Start from a pretrained encoder, keeping only some word pieces and positions.

    Args:
        folder: `config.json` and `model.safetensors` of a BERT; its pooler is left out.
        labels: Sizes of the heads, which start at random.
        vocabulary: Old id of each new word piece, in the new order.
        max_tokens: Positions to keep.
        crf: See `JointModel`.
    """
    config = BertConfig.from_pretrained(folder)
    state = load_file(folder / "model.safetensors")
    config.vocab_size, config.max_position_embeddings = len(vocabulary), max_tokens
    words, positions = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"
    state[words], state[positions] = state[words][torch.tensor(vocabulary)], state[positions][:max_tokens]
    model = JointModel(config, labels, crf=crf)
    state.pop("embeddings.position_ids", None)  # a buffer, whose length differs
    known = model.encoder.state_dict().keys()
    model.encoder.load_state_dict({name: value for name, value in state.items() if name in known})
    return model


def shrink(
    teacher: JointModel, labels: LabelSchema, layers: Sequence[int], attention: bool = False, crf: bool = False
) -> JointModel:
    """A student with some of the teacher's layers and all of its embeddings and heads.

    Args:
        teacher: Fine-tuned model, or a pretrained one.
        labels: The teacher's labels.
        layers: Teacher layers to copy, in order, from 0.
        attention: Build it so that it gives its attention (slower).
        crf: Give it a random field over its slots, the teacher's if that has one.
    """
    config = BertConfig.from_dict({**teacher.config.to_dict(), "num_hidden_layers": len(layers)})
    if attention:
        config.output_attentions, config._attn_implementation = True, "eager"
    student = JointModel(config, labels, teacher.dropout.p, crf)
    student.encoder.embeddings.load_state_dict(teacher.encoder.embeddings.state_dict())
    for mine, theirs in zip(student.encoder.encoder.layer, layers, strict=True):
        mine.load_state_dict(teacher.encoder.encoder.layer[theirs].state_dict())
    for head in ("intent_head", "slot_head", "act_head", "crf"):
        if getattr(teacher, head) is not None and getattr(student, head) is not None:
            getattr(student, head).load_state_dict(getattr(teacher, head).state_dict())
    return student
