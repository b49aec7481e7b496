"""Figures of a model, the constants fitted on development data, and the gate between float32 and int8."""
