"""The verdict over what strangers submit, in a process of its own; what may be asked is in ``cases``."""
