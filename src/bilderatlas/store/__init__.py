"""The library on disk: records in SQL, vectors in segments, and the engines that scan them."""
