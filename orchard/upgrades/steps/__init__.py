"""The steps, each a module ``NNNN_name`` by the version that it leads to, with its ``STEP``."""
