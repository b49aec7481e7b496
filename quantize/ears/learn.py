"""Teaches the encoder to give the decoder the same words in noise as without it.

The teacher is the recognizer as it came, hearing the recording; the pupil its copy, hearing it in a room and noise. No
transcript is needed, so that any speech will do. The loss is the Kullback-Leibler divergence of the decoder's next
tokens (Hinton et al. 2015, arXiv:1503.02531), plus the squared distance of what the two encoders give. The decoder
stays as it is: what it knows of language is not to be forgotten for a few thousand sentences. The result is the moving
mean of the weights (Polyak and Juditsky 1992), halfway back to what they were: synthetic voices and made noises are not
all that is heard (Wortsman et al. 2022, arXiv:2109.01903; measured in `models/artefacts/ears-en`).
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from device.speech.moonshine_model import EOS
from quantize.ears.packaged import decoder_weights, encoder_weights
from quantize.ears.scenes import NO_TOKEN, Batch, Recording, stage
from quantize.wake.synthesizers import Audio

BATCH: Final = 16
RATE: Final = 3e-4
WARM_UP: Final = 100
"""Steps in which the learning rate rises; then it falls along a cosine to 2 %."""

DISTANCE: Final = 2.0
"""Weight of the distance of the encoders."""

BACK: Final = 0.5
"""Share of the old weights in the result."""

MEAN_OF: Final = 500
"""Steps over which weights are averaged."""

Moonshine: TypeAlias = Any
"""`transformers.MoonshineForConditionalGeneration`."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a pupil agrees with its teacher.

    Attributes:
        divergence: Kullback-Leibler divergence of the next token, in nats, mean over tokens.
        same: Share of the tokens that are the likeliest after those before them.
    """

    divergence: float
    same: float


def moonshine(folder: Path) -> Moonshine:
    """Moonshine tiny in torch, with the weights of the packaged files, evaluated as they are.

    Args:
        folder: Of the model's files.

    Raises:
        BadInput: A file is none of onnxruntime's.
    """
    from transformers import MoonshineConfig, MoonshineForConditionalGeneration

    config = MoonshineConfig(tie_word_embeddings=False)  # type: ignore[no-untyped-call]
    model: Moonshine = MoonshineForConditionalGeneration(config)
    weights = {f"model.encoder.{name}": value for name, value in encoder_weights(folder).items()}
    weights |= decoder_weights(folder)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return model.eval().requires_grad_(False)


def learn(
    teacher: Moonshine,
    recordings: Sequence[Recording],
    noises: Sequence[Audio],
    steps: int,
    seed: int,
) -> Moonshine:
    """Train a copy of the teacher, in bfloat16 where the processor has it.

    Args:
        teacher: Of `moonshine`.
        recordings: At least `BATCH` of them.
        noises: See `stage`.
        steps: Batches.
        seed: Of all chance.
    """
    quick = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    ordered = sorted(recordings, key=lambda recording: len(recording.pcm))
    pupil = copy.deepcopy(teacher)
    encoder = pupil.model.encoder.requires_grad_(True)
    mean = copy.deepcopy(pupil)
    optimizer = torch.optim.AdamW(encoder.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / WARM_UP) * (0.51 + 0.49 * math.cos(math.pi * step / steps))
    )
    for step, batch in enumerate(_batches(ordered, noises, steps, rng), 1):
        divergence, distance, _ = _losses(teacher, pupil, batch, quick)
        (divergence + DISTANCE * distance).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        with torch.no_grad():
            share = max(1 / MEAN_OF, 19 / (step + 20))
            for average, new in zip(mean.model.encoder.parameters(), encoder.parameters(), strict=True):
                average.lerp_(new, share)
        if step % 50 == 0 or step == steps:
            log.info("step %d of %d: divergence %.3f, distance %.4f", step, steps, divergence.item(), distance.item())
    with torch.no_grad():
        for new, old in zip(mean.model.encoder.parameters(), teacher.model.encoder.parameters(), strict=True):
            new.lerp_(old, BACK)
    return mean


def agreement(teacher: Moonshine, pupil: Moonshine, batches: Sequence[Batch]) -> Agreement:
    """Compare two recognizers, one hearing the recordings, the other the scenes."""
    with torch.no_grad():
        found = [_losses(teacher, pupil, batch, quick=False) for batch in batches]
    return Agreement(*(float(np.mean([float(losses[at]) for losses in found])) for at in (0, 2)))


def _batches(
    ordered: Sequence[Recording], noises: Sequence[Audio], steps: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Neighbours in length, each batch made while the one before is learned from."""

    def batch() -> Batch:
        begin = int(rng.integers(len(ordered) - BATCH + 1))
        return stage(ordered[begin : begin + BATCH], noises, rng)

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(batch)
        for step in range(1, steps + 1):
            ready = coming.result()
            if step < steps:
                coming = pool.submit(batch)
            yield ready


def _losses(teacher: Moonshine, pupil: Moonshine, batch: Batch, quick: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Divergence, distance, and the share of tokens that are likeliest."""
    counted = batch.tokens[:, 1:] != NO_TOKEN
    before = batch.tokens[:, :-1].masked_fill(batch.tokens[:, :-1] == NO_TOKEN, EOS)

    def scores(model: Moonshine, sound: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast("cpu", torch.bfloat16, enabled=quick):
            hidden = model.model.encoder(sound).last_hidden_state
            states = model.model.decoder(input_ids=before, encoder_hidden_states=hidden, use_cache=False)
            logits = model.proj_out(states.last_hidden_state[counted])
        return hidden.float(), logits.float().log_softmax(-1)

    with torch.no_grad():
        wanted_hidden, wanted = scores(teacher, batch.clean)
    hidden, given = scores(pupil, batch.heard)
    divergence = functional.kl_div(given, wanted, log_target=True, reduction="batchmean")
    same = (given.argmax(-1) == batch.tokens[:, 1:][counted]).float().mean()
    return divergence, functional.mse_loss(hidden, wanted_hidden), same
