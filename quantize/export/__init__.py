"""From a trained model to what a board runs: ONNX, int8, the model card."""
