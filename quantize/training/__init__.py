"""Training: vocabulary, batches, fine-tuning, distillation."""
