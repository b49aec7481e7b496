"""Two processes that share each batch make the model that one process makes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

TRAINER = Path(__file__).parent / "shared_trainer.py"


def trained(folder, *launcher):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*launcher, str(TRAINER), str(folder)], check=True, env=environment, capture_output=True, timeout=60)
    return torch.load(folder / "model.pt", weights_only=True)


@pytest.mark.engines
def test_two_processes_make_the_model_of_one(tmp_path):
    alone = trained(tmp_path / "one", sys.executable)
    launcher = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    shared = trained(tmp_path / "two", *launcher)
    apart = max((alone[name] - shared[name]).abs().max().item() for name in alone)
    assert apart < 1e-4  # sums in another order; a step with half of the batch would move weights by 1e-2
