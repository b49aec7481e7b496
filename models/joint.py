"""The joint model: one BERT encoder, four heads (intent, slots, dialogue act, sentence embedding).

Joint intent and slot heads on one encoder follow Chen et al. 2019 (JointBERT, arXiv 1902.10909); mean pooling
follows Reimers and Gurevych 2019 (arXiv 1908.10084). The input is a pair: utterance (segment 0), then what the
device last said (segment 1).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

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


class JointModel(nn.Module):
    """Encoder and heads. `encoder` is a `transformers` BERT without pooler."""

    def __init__(self, config: BertConfig, labels: LabelSchema, dropout: float = 0.1) -> None:
        super().__init__()
        self.config = config
        self.encoder = BertModel(config, add_pooling_layer=False)  # type: ignore[no-untyped-call]
        self.dropout = nn.Dropout(dropout)
        self.intent_head = nn.Linear(config.hidden_size, len(labels.intents))
        self.slot_head = nn.Linear(config.hidden_size, len(labels.slot_labels))
        self.act_head = nn.Linear(config.hidden_size, len(labels.acts))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> JointOutput:
        """Run a batch; all inputs are int64 [B, T]."""
        return self.heads(
            self.hidden_states(input_ids, attention_mask, token_type_ids)[-1], attention_mask, token_type_ids
        )

    def hidden_states(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, ...]:
        """Embeddings and each layer's output, [B, T, hidden] each."""
        output = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            output_hidden_states=True,
        )
        states: tuple[Tensor, ...] = output.hidden_states
        return states

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


def from_pretrained(folder: Path, labels: LabelSchema, vocabulary: list[int], max_tokens: int) -> JointModel:
    """Start from a pretrained BERT, keeping only some word pieces and positions.

    Args:
        folder: A `transformers` checkpoint.
        labels: Sizes of the heads, which start at random.
        vocabulary: Old id of each new word piece, in the new order.
        max_tokens: Positions to keep.
    """
    config = BertConfig.from_pretrained(folder)
    base = BertModel.from_pretrained(folder, add_pooling_layer=False)
    config.vocab_size, config.max_position_embeddings = len(vocabulary), max_tokens
    model = JointModel(config, labels)
    state = base.state_dict()
    words, positions = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"
    state[words], state[positions] = state[words][torch.tensor(vocabulary)], state[positions][:max_tokens]
    model.encoder.load_state_dict(state, strict=False)  # buffers of position ids differ in length
    return model


def shrink(teacher: JointModel, labels: LabelSchema, layers: tuple[int, ...]) -> JointModel:
    """A student with some of the teacher's layers and all of its embeddings and heads.

    Args:
        teacher: Fine-tuned model.
        labels: The teacher's labels.
        layers: Teacher layers to copy, in order, from 0.
    """
    config = BertConfig.from_dict({**teacher.config.to_dict(), "num_hidden_layers": len(layers)})
    student = JointModel(config, labels, teacher.dropout.p)
    student.encoder.embeddings.load_state_dict(teacher.encoder.embeddings.state_dict())
    for mine, theirs in zip(student.encoder.encoder.layer, layers, strict=True):
        mine.load_state_dict(teacher.encoder.encoder.layer[theirs].state_dict())
    for head in ("intent_head", "slot_head", "act_head"):
        getattr(student, head).load_state_dict(getattr(teacher, head).state_dict())
    return student
