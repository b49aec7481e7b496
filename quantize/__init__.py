"""Makes models: data, fine-tuning, distillation, export, int8, evaluation.

Imports `models` and `device.nlu`; nothing that ships imports this package.
"""
