"""Encoders: what turns an image into a unit vector.

    descriptor                                    colour and gradient statistics, no weights
    open_clip:<architecture>/<tag|file|none>      an open_clip model, with its text tower
    torchvision:<architecture>@<file|none>        penultimate layer of an image model
    timm:<architecture>@<file|none>

``none`` is random weights of a fixed seed. Options follow a question mark: ``name`` (of the
encoder in the database, else the whole specification) for all, and for torchvision and timm
``size``, ``resize`` (shorter side before the crop), ``mean``, ``std``, ``scale`` (of white, 1 or
255) and ``bgr``: ``torchvision:squeezenet1_1@net.pt?bgr=1&mean=104,117,123&scale=255&size=227``.
"""

from smartdb.encoders.base import Batch, Encoder, NoVector
from smartdb.encoders.load import DEFAULT_BATCH, default_encoder, load, name_of

__all__ = ["DEFAULT_BATCH", "Batch", "Encoder", "NoVector", "default_encoder", "load", "name_of"]
