"""From devices' reports to training sentences: intake, review, quick update, and the gate of golden commands."""
