"""The classes of Cityscapes: their label ids, train ids and colours."""

import numpy as np
from cityscapesscripts.helpers.labels import labels

LABEL_ID: dict[str, int] = {label.name: label.id for label in labels}


def label_tables() -> tuple[np.ndarray, np.ndarray]:
    """Return the train id (256,) uint8 and the BGR colour (256, 3) uint8 of each label id.

    Label ids that Cityscapes does not know become the train id 255, which is ignored, and black.
    """
    train_ids, colours = np.full(256, 255, np.uint8), np.zeros((256, 3), np.uint8)
    for label in labels:
        if label.id >= 0:
            train_ids[label.id], colours[label.id] = label.trainId, label.color[::-1]
    return train_ids, colours
