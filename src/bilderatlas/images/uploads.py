"""Re-encode what a visitor brought along, so that nothing but its pixels is kept."""

from __future__ import annotations

import io

from PIL import Image

UPLOAD_SIDE_PX = 2048
QUALITY = 95


def encode_upload(picture: Image.Image) -> bytes:
    """Encode as JPEG without EXIF, GPS, profile or comment.

    Args:
        picture: RGB in sRGB, upright.
    """
    out = io.BytesIO()
    plain = Image.frombytes("RGB", picture.size, picture.tobytes())  # takes no `info` along
    plain.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return out.getvalue()
