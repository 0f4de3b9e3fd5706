"""The only place that opens image files: decode in a child, orient, make thumbnails, cut regions.

Rooms above use `decoder.Decoder`, `region.crop` and `thumbnails.THUMBNAIL_SIDES_PX`; everything
that touches foreign bytes runs in `child`, a separate process.
"""
