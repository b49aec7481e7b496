"""One training of the joint model, through the `transformers` trainer.

The same call runs on one processor, on one GPU, or as one of several processes (`accelerate launch`, `torchrun`):
they divide each batch among them. After each epoch a checkpoint is written with everything that chance depends on;
a training that was interrupted goes on with the very step that would have come next.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from device.errors import DeviceError
from models.joint import JointModel
from quantize.training.batches import Batch, LengthSampler, Row, collate
from quantize.training.losses import Loss
from quantize.training.recipe import Recipe

Score: Final = "score"
Judge = Callable[[JointModel], dict[str, float]]
"""Development figures of a model; `score` among them decides which epoch was the best."""


class OutOfMemory(DeviceError):
    """The batch does not fit into the memory."""


class _Step(nn.Module):
    """Model and loss as one module, so that whatever wraps a model (autocast, several processes) wraps both."""

    def __init__(self, model: JointModel, loss: Loss) -> None:
        super().__init__()
        self.model = model
        self.loss: Final = _Unsaved(loss)

    def forward(self, **batch: Tensor) -> Tensor:
        """Losses [B] of the fields of a `Batch`."""
        return self.loss.value(self.model, Batch(**batch))


class _Unsaved:
    """Hides a loss with a teacher in it from the modules that are trained and saved."""

    def __init__(self, value: Loss) -> None:
        self.value = value


class _JointTrainer(Trainer):
    """Length-sorted batches, rates by layer, development figures by `Judge`."""

    def __init__(
        self, step: _Step, data: Sequence[Row], recipe: Recipe, judge: Judge | None, seed: int, **rest: Any
    ) -> None:
        super().__init__(step, train_dataset=data, **rest)
        self._step, self._data, self._recipe, self._judge, self._seed = step, data, recipe, judge, seed

    def compute_loss(self, model: nn.Module, inputs: dict[str, Tensor], *_: Any, **__: Any) -> Tensor:
        losses: Tensor = model(**inputs)
        return losses.mean()

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            groups = parameter_groups(self._step.model, self._recipe)
            decay = self._recipe.decay
            if self._recipe.optimizer == "sgd":
                self.optimizer = torch.optim.SGD(groups, momentum=0.9, weight_decay=decay)
            else:
                self.optimizer = torch.optim.AdamW(groups, weight_decay=decay, fused=True)
        return self.optimizer

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthSampler:
        return LengthSampler(self._data, self.args.train_batch_size, self._seed)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        assert self._judge is not None
        self._step.eval()
        metrics = {f"eval_{name}": value for name, value in self._judge(self._step.model).items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def fit(
    model: JointModel,
    data: Sequence[Row],
    recipe: Recipe,
    loss: Loss,
    folder: Path,
    seed: int,
    judge: Judge | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> JointModel:
    """Train in place, or go on where an earlier call with the same folder was interrupted.

    Args:
        model: Updated; with a judge it ends with the weights of the best epoch.
        data: Training rows.
        recipe: Numbers.
        loss: To be minimised.
        folder: For checkpoints (removed at the end) and TensorBoard logs.
        seed: Of order and dropout.
        judge: Scores the model after each epoch.
        callbacks: Further ones of the trainer.

    Returns:
        The model, without gradients.

    Raises:
        OutOfMemory: Suggests a smaller batch.
    """
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = recipe.dropout
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not _is_frozen(name, recipe))
    quick = torch.cuda.is_available() or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    steps = -(-len(data) // recipe.batch)
    extra = [*callbacks, *([EarlyStoppingCallback(recipe.patience)] if judge and recipe.patience else [])]
    trainer = _JointTrainer(
        _Step(model, loss),
        data,
        recipe,
        judge,
        seed,
        args=TrainingArguments(
            str(folder),
            num_train_epochs=recipe.epochs,
            per_device_train_batch_size=recipe.batch,
            gradient_accumulation_steps=recipe.accumulation,
            accelerator_config={"split_batches": True},  # `batch` counts the sentences of all processes
            lr_scheduler_type="linear",
            warmup_steps=int(recipe.warmup * recipe.epochs * steps / recipe.accumulation),
            max_grad_norm=recipe.clip,
            bf16=quick and recipe.precision == "auto",
            use_cpu=not torch.cuda.is_available(),
            ddp_find_unused_parameters=False,
            eval_strategy="epoch" if judge else "no",
            save_strategy="epoch",
            save_total_limit=1,
            load_best_model_at_end=judge is not None,
            metric_for_best_model=Score if judge else None,
            greater_is_better=True if judge else None,
            logging_dir=str(folder / "tensorboard"),
            logging_steps=20,
            report_to=["tensorboard"],
            disable_tqdm=not sys.stderr.isatty(),
            seed=seed,
            dataloader_pin_memory=False,
            remove_unused_columns=False,
        ),
        eval_dataset=data if judge else None,  # only asked for; `judge` knows what to score
        data_collator=_collate,
        callbacks=extra,
    )
    last = get_last_checkpoint(str(folder)) if folder.exists() else None  # type: ignore[no-untyped-call]
    try:
        trainer.train(resume_from_checkpoint=last)
    except RuntimeError as error:
        if "memory" not in str(error):
            raise
        raise OutOfMemory(
            f"A batch of {recipe.batch} sentences does not fit into the memory.",
            remedy=f"Set batch = {max(1, recipe.batch // 2)} and accumulation = {recipe.accumulation * 2} in the plan.",
        ) from error
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        for checkpoint in folder.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
    model.zero_grad(set_to_none=True)
    return model.eval()


def parameter_groups(model: JointModel, recipe: Recipe) -> list[dict[str, Any]]:
    """What is trained, grouped by learning rate: heads, then each layer, then the rest (embeddings)."""
    layers = list(model.encoder.encoder.layer)
    bottom = recipe.body_rate * recipe.layer_decay ** len(layers)
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not name.startswith("encoder."):
            rate = recipe.head_rate
        elif (layer := _layer(name)) is not None:
            rate = recipe.body_rate * recipe.layer_decay ** (len(layers) - 1 - layer)
        else:
            rate = bottom
        if parameter.requires_grad:
            groups.setdefault(rate, []).append(parameter)
    return [{"params": parameters, "lr": rate} for rate, parameters in groups.items()]


def _is_frozen(name: str, recipe: Recipe) -> bool:
    if not name.startswith("encoder.") or recipe.frozen == "none":
        return False
    layer = _layer(name)
    if layer is None or recipe.frozen == "encoder":
        return True
    return isinstance(recipe.frozen, int) and layer < recipe.frozen


def _layer(parameter: str) -> int | None:
    """The encoder layer, from 0, that a parameter belongs to."""
    _, _, after = parameter.partition("encoder.encoder.layer.")
    return int(after.split(".")[0]) if after else None


def _collate(group: Sequence[Row]) -> dict[str, Tensor]:
    return {name: value for name, value in collate(group)._asdict().items() if value is not None}
