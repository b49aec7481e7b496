"""Device images: a root file system, a disk, a signed update and what is in them, by Debian's own tools."""
