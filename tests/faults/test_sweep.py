"""Every fault of the matrix at every moment of a payment (docs/reliability.md).

A cell is: hold the payment at the moment, break something, let it go on, mend
it; then the storefront insists, the buyer pays, and the referee compares what
PostgreSQL, the PSP and the storefront say.
"""

import random

import pytest
from rig.matrix import CELLS, FAULTS, told
from rig.scene import Scene

IDS = [f"{fault}-{moment}" for fault, moment in CELLS]


@pytest.mark.parametrize(("fault", "moment"), CELLS, ids=IDS)
def test_cell(stack, fault, moment, seed):
    rng = random.Random(f"{fault}/{moment}/{seed}")
    scene = Scene(stack, rng, moment)
    FAULTS[fault].prepare(scene)
    with scene.held():
        with FAULTS[fault].strike(scene):
            scene.release()
            heard = scene.answered()
            if heard is not None:
                told(fault, moment, scene.sale, heard)
    scene.sale.finish()
